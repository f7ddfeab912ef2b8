"""What is there over HTTP, besides the probes in aleatoria/views.py."""

from django.contrib import admin
from django.urls import path

from aleatoria import views

urlpatterns = [
    path("", views.index),
    path("api/session", views.session),
    path("admin/", admin.site.urls),
]
