"""Filters that write sizes, spans of time and moments as the commands do."""

from django.template import Library
from django.utils.http import urlencode

from aleatoria.operators import commands

register = Library()
register.filter("size", commands.size)
register.filter("span", commands.span)
register.filter("moment", commands.moment)
register.filter("percent", lambda part: "–" if part is None else f"{100 * part:.1f} %")


@register.simple_tag
def query(**fields: str | int) -> str:
    """Return a link to the same page with these fields in its query. Empty fields are left out."""
    return "?" + urlencode({name: value for name, value in fields.items() if value})
