"""Signing in and out, and the one-time link that makes the first account."""

from __future__ import annotations

from litestar import Request, get, post
from litestar.datastructures import Cookie, FormMultiDict, State
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.service import Accounts
from turnout.errors import BadInput, NotFound, NotSignedIn
from turnout.model.site import Principal
from turnout.settings import Settings

PageRequest = Request[object, object, State]
AccountsDependency = NamedDependency[SkipValidation[Accounts]]
SettingsDependency = NamedDependency[SkipValidation[Settings]]


def is_https(settings: Settings) -> bool:
    """Whether browsers come by https, as far as the settings say."""
    return settings.public_url.startswith("https://")


def session_cookie(settings: Settings) -> str:
    """The cookie's name. `__Host-` binds it to this host and to https."""
    return "__Host-turnout_session" if is_https(settings) else "turnout_session"


async def find_principal(request: PageRequest, accounts: Accounts, settings: Settings) -> Principal:
    """Who asks: by API key under /api/, by session elsewhere. Raises `NotSignedIn`."""
    if request.url.path.startswith("/api/"):
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        found = await accounts.principal_of_key(key.strip()) if scheme.lower() == "bearer" and key else None
    else:
        token = request.cookies.get(session_cookie(settings))
        found = await accounts.principal_of_session(token) if token else None
    if found is None:
        raise NotSignedIn("sign in first")
    return found


@get("/login")
async def show_login(
    request: PageRequest, accounts: AccountsDependency, settings: SettingsDependency
) -> Template | Redirect:
    """The form; whoever is signed in goes on to the sites."""
    try:
        await find_principal(request, accounts, settings)
    except NotSignedIn:
        return _login_page(next_path=request.query_params.get("next", ""))
    return Redirect("/sites", status_code=303)


@post("/login", status_code=303)
async def sign_in(
    request: PageRequest, accounts: AccountsDependency, settings: SettingsDependency
) -> Template | Redirect:
    """Begins a session and goes on to the page that was asked for."""
    form = await request.form()
    email, password = _field(form, "email"), _field(form, "password")
    try:
        token = await accounts.sign_in(email, password)
    except NotSignedIn:
        wrong = BadInput("", "This e-mail and password do not belong together. Check both and try again.")
        return _login_page(email=email, error=wrong, status_code=401, next_path=_field(form, "next"))
    return Redirect(_local(_field(form, "next")), status_code=303, cookies=[_cookie(settings, token)])


@post("/logout", status_code=303)
async def sign_out(request: PageRequest, accounts: AccountsDependency, settings: SettingsDependency) -> Redirect:
    """Ends the session, on the server too."""
    token = request.cookies.get(session_cookie(settings))
    if token:
        await accounts.sign_out(token)
    gone = _cookie(settings, "")
    gone.max_age = 0
    return Redirect("/login", status_code=303, cookies=[gone])


@get("/first-account/{token:str}")
async def show_first_account(token: FromPath[str], accounts: AccountsDependency) -> Template:
    """The form behind the one-time link."""
    if not await accounts.is_first_account_token(token):
        raise NotFound("this link has been used, or is not the newest; the server prints one while it has no account")
    return Template("first_account.html", context={"principal": None, "token": token, "email": "", "error": None})


@post("/first-account/{token:str}", status_code=303)
async def create_first_account(
    request: PageRequest, token: FromPath[str], accounts: AccountsDependency, settings: SettingsDependency
) -> Template | Redirect:
    """Makes the operator's account and signs it in."""
    form = await request.form()
    email, password = _field(form, "email"), _field(form, "password")
    try:
        session = await accounts.create_first_account(token, email, password)
    except BadInput as bad:
        context = {"principal": None, "token": token, "email": email, "error": bad}
        return Template("first_account.html", context=context, status_code=400)
    return Redirect("/sites", status_code=303, cookies=[_cookie(settings, session)])


def _login_page(
    *, email: str = "", error: BadInput | None = None, status_code: int = 200, next_path: str = ""
) -> Template:
    context = {"principal": None, "email": email, "error": error, "next": _local(next_path)}
    return Template("login.html", context=context, status_code=status_code)


def _field(form: FormMultiDict, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _local(path: str) -> str:
    """A path of this server, or the list of sites: a link must not send people elsewhere after they sign in."""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_path else "/sites"


def _cookie(settings: Settings, token: str) -> Cookie:
    return Cookie(
        key=session_cookie(settings),
        value=token,
        max_age=settings.session_days * 86_400,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(settings),
    )
