"""본인확인 추가인증 on the screen: one set of routes and one template, below whatever page asks for it."""

from ingam.center.additional_auth.web import TEMPLATES, FactorHost, FactorWeb, Screen, told_call

__all__ = ["TEMPLATES", "FactorHost", "FactorWeb", "Screen", "told_call"]
