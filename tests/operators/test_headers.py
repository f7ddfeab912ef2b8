"""The headers with which pages tell a browser what it may do: each directive, for the first page and the admin."""

import pytest
from django.test import Client

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "media-src": "'self' blob:",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


@pytest.mark.django_db
def test_the_first_page_lets_a_browser_do_what_the_page_needs_and_no_more(client: Client) -> None:
    response = client.get("/")
    directives = [part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";")]
    assert {name: sources for name, _, sources in directives} == POLICY
    assert len(directives) == len(POLICY)
    assert response["Permissions-Policy"] == "camera=(self), microphone=(self), geolocation=(), payment=()"


@pytest.mark.django_db
def test_the_first_page_which_says_who_its_visitor_is_is_kept_by_no_cache(client: Client) -> None:
    assert client.get("/")["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/admin/login/", "/api/session", "/nowhere"])
def test_every_page_is_in_nobodys_frame_and_taken_for_what_it_says_it_is(client: Client, path: str) -> None:
    response = client.get(path)
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
