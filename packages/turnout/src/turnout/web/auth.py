"""Signing in and out, second factors at the door, forgotten passwords, and the one-time link of the first account."""

from __future__ import annotations

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.service import Accounts
from turnout.accounts.sessions import CODE_WAIT_S, Sessions
from turnout.errors import BadInput, NotFound, NotSignedIn, SecondFactorNeeded, TooManyAttempts
from turnout.model.site import Principal
from turnout.settings import Settings
from turnout.web.forms import PageRequest, fields
from turnout.web.peer import client_of, peer_of
from turnout.web.problems import wait_words
from turnout.web.scope import EVERYBODY

AccountsDependency = NamedDependency[SkipValidation[Accounts]]
SessionsDependency = NamedDependency[SkipValidation[Sessions]]
SettingsDependency = NamedDependency[SkipValidation[Settings]]
ViewerDependency = NamedDependency[SkipValidation[Principal | None]]

_NO_LINK = "this link has been used, or is not the newest; the server prints one while it has no account"


def is_https(settings: Settings) -> bool:
    """Whether browsers come by https, as far as the settings say."""
    return settings.public_url.startswith("https://")


def cookie_name(settings: Settings, name: str) -> str:
    """A cookie's name. `__Host-` binds it to this host and to https."""
    return f"__Host-turnout_{name}" if is_https(settings) else f"turnout_{name}"


def session_cookie(settings: Settings) -> str:
    """The name of the cookie that holds a session's token."""
    return cookie_name(settings, "session")


def own_address(request: PageRequest, settings: Settings) -> str:
    """This server's address as the browser knows it, for links that are shown to whoever asks."""
    return (settings.public_url or str(request.base_url)).rstrip("/")


def letter_address(request: PageRequest, settings: Settings) -> str:
    """This server's address for a letter to somebody else than who asks.

    Not what the request says in `Host`: whoever asks for another's letter would choose where its secret link leads.
    """
    host, port = request.scope["server"] or (settings.host, settings.port)
    return settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"


@get("/login", opt=EVERYBODY)
async def show_login(request: PageRequest, viewer: ViewerDependency) -> Template | Redirect:
    """The form; whoever is signed in goes on."""
    if viewer is not None:
        return Redirect(_local(request.query_params.get("next", "")), status_code=303)
    return _login_page(next_path=request.query_params.get("next", ""), done=request.query_params.get("done", ""))


@post("/login", status_code=303, opt=EVERYBODY)
async def sign_in(
    request: PageRequest, sessions: SessionsDependency, settings: SettingsDependency
) -> Template | Redirect:
    """Begins a session and goes on to the page that was asked for, or to the second factor."""
    form = await fields(request)
    email, next_path = form["email"], _local(form["next"])
    try:
        token = await sessions.sign_in(
            email, form["password"], peer=peer_of(request, settings), client=client_of(request)
        )
    except NotSignedIn:
        wrong = BadInput("", "This e-mail and password do not belong together. Check both and try again.")
        return _login_page(email=email, error=wrong, status_code=401, next_path=next_path)
    except TooManyAttempts as many:
        wait = BadInput("", f"Too many attempts. Wait {wait_words(many.retry_after_s)}, then try again.")
        return _login_page(email=email, error=wait, status_code=429, next_path=next_path)
    except SecondFactorNeeded as needed:
        waiting = _cookie(settings, "sign_in", needed.token, CODE_WAIT_S)
        return Redirect("/login/code", query_params={"next": next_path}, status_code=303, cookies=[waiting])
    return Redirect(next_path, status_code=303, cookies=[start_session(settings, token)])


@get("/login/code", opt=EVERYBODY)
async def show_code(request: PageRequest, settings: SettingsDependency) -> Template | Redirect:
    """Asks for the second factor."""
    if not request.cookies.get(cookie_name(settings, "sign_in")):
        return Redirect("/login", status_code=303)
    return _code_page(next_path=request.query_params.get("next", ""))


@post("/login/code", status_code=303, opt=EVERYBODY)
async def give_code(
    request: PageRequest, sessions: SessionsDependency, settings: SettingsDependency
) -> Template | Redirect:
    """Takes the second factor and begins the session."""
    form = await fields(request)
    waiting = request.cookies.get(cookie_name(settings, "sign_in"), "")
    next_path = _local(form["next"])
    try:
        token = await sessions.give_code(waiting, form["code"], client=client_of(request))
    except BadInput as bad:
        return _code_page(error=bad, next_path=next_path, status_code=400)
    except TooManyAttempts as many:
        wait = BadInput("code", f"too many wrong codes; wait {wait_words(many.retry_after_s)}, then try again")
        return _code_page(error=wait, next_path=next_path, status_code=429)
    gone = _cookie(settings, "sign_in", "", 0)
    return Redirect(next_path, status_code=303, cookies=[start_session(settings, token), gone])


@post("/logout", status_code=303, opt=EVERYBODY)
async def sign_out(request: PageRequest, sessions: SessionsDependency, settings: SettingsDependency) -> Redirect:
    """Ends the session, on the server too."""
    token = request.cookies.get(session_cookie(settings))
    if token:
        await sessions.sign_out(token)
    return Redirect("/login", status_code=303, cookies=[_cookie(settings, "session", "", 0)])


@get("/forgotten", opt=EVERYBODY)
async def show_forgotten() -> Template:
    """Asks whose password is forgotten."""
    return _forgotten_page()


@post("/forgotten", status_code=200, opt=EVERYBODY)
async def ask_for_reset(request: PageRequest, accounts: AccountsDependency, settings: SettingsDependency) -> Template:
    """Has a link sent. Says the same whether there is such an account or not."""
    email = (await fields(request))["email"]
    try:
        accounts.ask_for_reset(email, letter_address(request, settings), peer=peer_of(request, settings))
    except BadInput as bad:
        return _forgotten_page(email=email, error=bad, status_code=400)
    except TooManyAttempts as many:
        wait = BadInput("", f"That was asked for often enough. Wait {wait_words(many.retry_after_s)}.")
        return _forgotten_page(email=email, error=wait, status_code=429)
    return _forgotten_page(email=email, is_sent=True, sends_mail=bool(settings.smtp_url))


@get("/reset/{token:str}", opt=EVERYBODY)
async def show_reset(token: FromPath[str], accounts: AccountsDependency) -> Template:
    """The form behind the link."""
    if not await accounts.is_reset_token(token):
        raise NotFound("this link has been used or is too old; ask for a new one")
    return Template("reset.html", context={"principal": None, "error": None})


@post("/reset/{token:str}", status_code=303, opt=EVERYBODY)
async def reset_password(
    request: PageRequest, token: FromPath[str], accounts: AccountsDependency
) -> Template | Redirect:
    """Sets the new password and ends every session; the person signs in with it."""
    form = await fields(request)
    try:
        await accounts.reset_password(token, form["password"])
    except BadInput as bad:
        return Template("reset.html", context={"principal": None, "error": bad}, status_code=400)
    return Redirect("/login?done=reset", status_code=303)


@get("/first-account/{token:str}", opt=EVERYBODY)
async def show_first_account(token: FromPath[str], accounts: AccountsDependency) -> Template:
    """The form behind the one-time link."""
    if not await accounts.is_first_account_token(token):
        raise NotFound(_NO_LINK)
    return Template("first_account.html", context={"principal": None, "email": "", "error": None})


@post("/first-account/{token:str}", status_code=303, opt=EVERYBODY)
async def create_first_account(
    request: PageRequest, token: FromPath[str], accounts: AccountsDependency, settings: SettingsDependency
) -> Template | Redirect:
    """Makes the operator's account and signs it in; the organisation comes next."""
    form = await fields(request)
    try:
        session = await accounts.create_first_account(token, form["email"], form["password"], client=client_of(request))
    except BadInput as bad:
        context = {"principal": None, "email": form["email"], "error": bad}
        return Template("first_account.html", context=context, status_code=400)
    return Redirect("/welcome", status_code=303, cookies=[start_session(settings, session)])


def start_session(settings: Settings, token: str) -> Cookie:
    """The cookie of a session that has begun."""
    return _cookie(settings, "session", token, settings.session_days * 86_400)


def _login_page(
    *, email: str = "", error: BadInput | None = None, status_code: int = 200, next_path: str = "", done: str = ""
) -> Template:
    context = {"principal": None, "email": email, "error": error, "next": _local(next_path), "done": done}
    return Template("login.html", context=context, status_code=status_code)


def _code_page(*, error: BadInput | None = None, next_path: str = "", status_code: int = 200) -> Template:
    context = {"principal": None, "error": error, "next": _local(next_path)}
    return Template("login_code.html", context=context, status_code=status_code)


def _forgotten_page(
    *,
    email: str = "",
    error: BadInput | None = None,
    is_sent: bool = False,
    sends_mail: bool = True,
    status_code: int = 200,
) -> Template:
    context = {"principal": None, "email": email, "error": error, "is_sent": is_sent, "sends_mail": sends_mail}
    return Template("forgotten.html", context=context, status_code=status_code)


def _local(path: str) -> str:
    """A path of this server, or the list of sites: a link must not send people elsewhere after they sign in."""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_path else "/sites"


def _cookie(settings: Settings, name: str, value: str, max_age_s: int) -> Cookie:
    return Cookie(
        key=cookie_name(settings, name),
        value=value,
        max_age=max_age_s,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(settings),
    )
