"""What is there over HTTP."""

from django.contrib import admin
from django.urls import path

from aleatoria import views

urlpatterns = [
    path("", views.index),
    path("health", views.health),
    path("ready", views.ready),
    path("metrics", views.prometheus),
    path("api/session", views.session),
    path("admin/", admin.site.urls),
]
