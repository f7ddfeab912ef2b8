"""How Django sets the admin up."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Django's admin, with our site."""

    default_site = "aleatoria.sites.Site"
