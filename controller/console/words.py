"""What the console says, in English and Chinese, and in which of the two it speaks to somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request

LANGUAGES = ("zh", "en")
WORDS: Mapping[str, tuple[str, str]] = {  # key: in Chinese, in English; {} is a number
    "console": ("制证中心控制台", "Card production console"),
    "log_in": ("登录", "Log in"),
    "log_out": ("退出", "Log out"),
    "name": ("用户名", "Name"),
    "password": ("密码", "Password"),
    "code": ("动态验证码（如已启用）", "Code of your authenticator, if you have one"),
    "first_run": ("首次使用：建立第一个账户", "First run: make the first account"),
    "first_code": ("服务控制台上显示的一次性代码", "One-time code, as the service's own console shows it"),
    "first_name": ("与操作员密钥相同的名称", "Name, the same as of the operator's key"),
    "make_account": ("建立账户", "Make the account"),
    "signed_in_as": ("已登录", "You are logged in as"),
    "your_roles": ("您的角色", "Your roles"),
    "no_roles": ("没有角色：请管理员在密钥表中授权", "none: ask an administrator to give your key one"),
    "change_password": ("修改密码", "Change your password"),
    "old_password": ("现密码", "Password so far"),
    "new_password": ("新密码（12至128个字符）", "New password, 12 to 128 characters"),
    "again": ("再次输入新密码", "New password again"),
    "changed": ("密码已修改，其他登录已失效。", "Your password is changed; you are logged out everywhere else."),
    "wrong": (
        "名称、密码或验证码不正确，或账户已锁定。",
        "Name, password or code is wrong, or the account is locked.",
    ),
    "wrong_first": (
        "代码不正确、已使用或已过期；重启服务可得新代码。",
        "The code is wrong, used, or too old: a new start of the service gives another.",
    ),
    "wait": ("尝试次数过多，请等待 {} 秒。", "Too many tries: wait {} seconds."),
    "not_same": ("两次输入的新密码不同。", "The two new passwords differ."),
    "accounts.password": (
        "密码不合要求：12至128个字符，不含名称，不能全是数字。",
        "This password will not do: 12 to 128 characters, without your name, and not digits alone.",
    ),
    "accounts.bad_name": ("名称只能用小写字母、数字和连字符。", "A name is up to 32 of a-z, 0-9 and -, as a key has."),
    "accounts.not_first": ("已有账户，请登录。", "There are accounts already: log in."),
    "accounts.busy": ("正在登录的人太多，请稍候。", "Too many people log in at this moment: wait a few seconds."),
    "accounts.unavailable": ("账户文件无法读取，请看服务日志。", "The accounts cannot be read: look into the log."),
    "refused_400": ("请求无法理解。", "This request cannot be understood."),
    "refused_403": ("请求被拒绝：请返回并重新载入页面。", "Refused: go back, load the page again, and repeat."),
    "refused_404": ("没有这个页面。", "There is no such page."),
    "refused_405": ("此页面不接受这种请求。", "This page does not take such a request."),
    "refused_413": ("请求过大。", "This request is too large."),
    "to_start": ("返回首页", "To the start page"),
    "other_language": ("English", "中文"),
}  # fmt: skip


def say_in(language: str) -> Callable[..., str]:
    """Give what says a word of the table in one language."""
    column = LANGUAGES.index(language)
    return lambda key, *values: WORDS[key][column].format(*values)


def other_than(language: str) -> str:
    """Give the other language."""
    return LANGUAGES[1 - LANGUAGES.index(language)]


def language_of(request: Request, cookie: str) -> str:
    """Give the language somebody chose, or the first of the two that the browser names, or Chinese."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(cookie)):
        if chosen in LANGUAGES:
            return chosen
    wanted = []
    for at, part in enumerate(request.headers.get("accept-language", "")[:200].split(",")):
        tag, _, rest = part.partition(";")
        wanted.append((-_weight(rest), at, tag.strip().lower().partition("-")[0]))
    return next((tag for weight, _, tag in sorted(wanted) if weight and tag in LANGUAGES), LANGUAGES[0])


def _weight(rest: str) -> float:
    try:
        return float(rest.strip().removeprefix("q=")) if rest else 1.0
    except ValueError:
        return 0.0
