"""Routes of business accounts and their groups."""

from __future__ import annotations

from django.urls import path

from trunkline.manager.accounts import account, groups, lists

urlpatterns = [
    path("accounts", lists.account_list, name="accounts"),
    path("accounts/new", lists.create, name="account_create"),
    path("accounts/new-by-address", lists.create_many, name="account_create_many"),
    path("accounts/groups", groups.group_list, name="account_groups"),
    path("accounts/groups/<int:group_id>", groups.group, name="account_group"),
    path("accounts/groups/<int:group_id>/delete", groups.delete_group, name="account_group_delete"),
    path("accounts/<int:account_id>", account.account, name="account"),
    path("accounts/<int:account_id>/delete", account.delete, name="account_delete"),
]
