"""Who may see and do what in the admin."""

import pytest
import redis
from django.contrib.admin import site
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from aleatoria.operators.console import ConsoleAdmin
from tests.operators.conftest import MakeStaff
from tests.support.admin_pages import (
    ACTIONS,
    ALL,
    CALLS,
    CLEAR,
    CLOSE,
    MESSAGES,
    OPENS,
    REMOVE,
    ROOM,
    ROOMS,
    SECTIONS,
    VALKEY,
    done,
    links,
    shown,
)
from tests.support.planted import call, enters, said, waits


def test_every_section_and_permission_is_tried_here() -> None:
    sections = [model for model, section in site._registry.items() if isinstance(section, ConsoleAdmin)]
    firsts = {reverse(f"admin:{one._meta.app_label}_{one._meta.model_name}_changelist") for one in sections}
    assert firsts == set(SECTIONS)
    assert {codename for one in sections for codename in codenames(one)} == OPENS.keys()


def codenames(model: type[Model]) -> list[str]:
    """Return the permissions of a section."""
    return [f"view_{model._meta.model_name}", *(codename for codename, _ in model._meta.permissions)]


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_anonymous_visitor_is_sent_to_the_login(staff: MakeStaff, path: str, method: str) -> None:
    response = getattr(Client(), method)(path)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_user_who_is_not_staff_is_sent_to_the_login_whatever_they_may_do(
    staff: MakeStaff, path: str, method: str
) -> None:
    response = getattr(staff(*OPENS, is_staff=False), method)(path)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize("permission", [None, *OPENS])
def test_each_permission_opens_what_it_is_for_and_nothing_else(staff: MakeStaff, permission: str | None) -> None:
    client = staff(*[permission] if permission else [])
    opened = [path for path in ALL if client.post(path).status_code in (200, 302)]
    assert opened == OPENS.get(permission or "", [])
    assert [path for path in ALL if client.post(path).status_code == 403] == [
        path for path in ALL if path not in opened
    ]


@pytest.mark.parametrize("permission", [None, *OPENS])
def test_what_one_may_not_do_one_is_not_asked_about(staff: MakeStaff, permission: str | None) -> None:
    client = staff(*[permission] if permission else [])
    fine = {path for path in ALL if client.get(path).status_code in (200, 405)}
    assert fine == set(OPENS.get(permission or "", []))


@pytest.mark.parametrize("permission", [None, *OPENS])
def test_the_index_names_the_sections_that_one_may_see(staff: MakeStaff, permission: str | None) -> None:
    html = shown(staff(*[permission] if permission else []).get("/admin/"))
    listed = [path for path in SECTIONS if f'href="{path}"' in html]
    assert listed == [path for path in OPENS.get(permission or "", []) if path in SECTIONS]


@pytest.mark.parametrize("path", [ROOM, CALLS, VALKEY])
def test_who_may_only_look_is_offered_nothing_else(staff: MakeStaff, keys: redis.Redis, path: str) -> None:
    enters(keys, "attic", "ana")
    said(keys, "attic", "hello")
    waits(keys, "bob")
    call(keys, "cam", "dan")
    html = shown(staff("view_room", "view_randomcall", "view_valkeyserver").get(path))
    assert links(html) == {}
    assert "Actions" not in html


@pytest.mark.parametrize(
    ("permission", "offers"),
    [
        ("read_messages", {"Read the last messages": MESSAGES}),
        ("clear_room", {"Clear the history": CLEAR}),
        ("remove_member", {"Remove from the room": REMOVE}),
        ("close_sockets", {"Close sockets": f"{CLOSE}?next={ROOM.replace('/', '%2F')}"}),
    ],
)
def test_a_room_offers_what_one_may_do(
    staff: MakeStaff, keys: redis.Redis, permission: str, offers: dict[str, str]
) -> None:
    enters(keys, "attic", "ana")
    said(keys, "attic", "hello")
    assert links(shown(staff("view_room", permission).get(ROOM))) == offers


@pytest.mark.parametrize("path", ACTIONS.values(), ids=ACTIONS)
def test_a_page_of_another_site_cannot_act_for_one(admin: Client, keys: redis.Redis, path: str) -> None:
    enters(keys, "attic", "ana")
    said(keys, "attic", "hello")
    waits(keys, "bob")
    before = {key: keys.dump(key) for key in keys.scan_iter()}
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = admin.cookies
    assert forged.post(path).status_code == 403
    assert {key: keys.dump(key) for key in keys.scan_iter()} == before
    assert done() == []


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("page", ["add/", "ana/delete/", "ana/history/", "ana/"])
def test_there_are_no_rows_to_add_delete_or_look_back_on(admin: Client, section: str, page: str) -> None:
    assert admin.get(section + page).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"{ROOMS}{'x' * 65}/change/",
        f"{ROOMS}%20x/change/",
        f"{ROOMS}{'x' * 65}/clear/",
        f"{ROOMS}a%7Bb/members/ana/remove/",
        f"{ROOMS}attic/members/a:b/remove/",
        f"{ROOMS}attic/members/system/remove/",
        f"{CALLS}system/withdraw/",
        f"{VALKEY}sockets/-ana/close/",
    ],
)
def test_what_nobody_can_be_called_is_not_found(admin: Client, path: str) -> None:
    assert admin.get(path).status_code == 404
    assert admin.post(path).status_code == 404
