"""A real WordPress, as Debian packages it, with its own MariaDB: both in a temporary folder, on loopback only.

`apt-get install --no-install-recommends wordpress mariadb-server php-cli php-mysql php-curl php-xml
php-mbstring php-gd` gives what it needs; nothing of those packages' own services is used.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.ports import free_port

SOURCE = Path(os.environ.get("WORDPRESS", "/usr/share/wordpress"))
PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "php")

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{base_url}'); define('WP_SITEURL', '{base_url}');
define('WP_ENVIRONMENT_TYPE', 'local');  // application passwords over http
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true);
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {{
    define($name . '_KEY', 'key of ' . $name); define($name . '_SALT', 'salt of ' . $name);
}}
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

ROUTER = """<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/' && is_file(__DIR__ . $path)) return false;
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
require __DIR__ . '/index.php';
"""

SETUP = """<?php
define('WP_INSTALLING', true);
function wp_new_blog_notification() {}  // no mail
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require __DIR__ . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Acme Blog', 'admin', 'admin@acme.example', true, '', 'not-used-here');
update_option('comments_notify', 0); update_option('moderation_notify', 0);
update_option('timezone_string', 'Europe/Berlin');
update_option('permalink_structure', '/%year%/%postname%/'); flush_rewrite_rules(false);
$users = [];
foreach (['admin' => 'administrator', 'acme' => 'editor', 'ana' => 'subscriber', 'ben' => 'contributor'] as $name => $role) {
    $user = get_user_by('login', $name);
    $id = $user ? $user->ID : wp_insert_user(['user_login' => $name, 'user_pass' => wp_generate_password(),
        'user_email' => "$name@people.example", 'display_name' => ucfirst($name), 'role' => $role]);
    $users[$name] = ['id' => $id, 'password' => WP_Application_Passwords::create_new_application_password($id, ['name' => 'tests'])[0]];
}
echo json_encode($users);
"""

PLUGIN = """<?php
add_filter('pre_wp_mail', '__return_true');
function may_break($name) {
    $file = WP_CONTENT_DIR . '/break-' . $name;
    return is_file($file) && @unlink($file);
}
add_filter('wp_is_comment_flood', function ($is) { return may_break('flood') ? true : $is; });
add_filter('pre_comment_approved', function ($status) {
    return may_break('held') ? 0 : (may_break('spam') ? 'spam' : $status);
}, 99);
add_action('rest_after_insert_comment', function () {
    if (may_break('gateway')) { http_response_code(502); echo '<html>Bad Gateway</html>'; exit; }
    if (may_break('fatal')) { http_response_code(500); exit; }
    if (may_break('slow')) sleep(4);
}, 10, 0);
"""
"""What no WordPress does by itself when it is asked to: each file `break-…` breaks one request."""


def require_wordpress() -> None:
    """Skip the test that asks, where WordPress or what it needs is not installed."""
    missing = [name for name in PROGRAMS if _program(name) is None]
    if not (SOURCE / "wp-settings.php").is_file():
        missing.append("wordpress")
    if not missing and "mysqli" not in subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout:
        missing.append("php-mysql")
    if missing:
        pytest.skip(
            f"{', '.join(missing)} not installed: apt-get install --no-install-recommends wordpress mariadb-server "
            "php-cli php-mysql php-curl php-xml php-mbstring php-gd"
        )


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


class WordPressSite:
    """The running site, and what its people do there."""

    def __init__(self, base_url: str, folder: Path, users: dict[str, Any]) -> None:
        self.base_url, self.folder = base_url, folder
        self.passwords = {name: user["password"] for name, user in users.items()}
        self.ids = {name: str(user["id"]) for name, user in users.items()}
        self._http = httpx.Client(base_url=base_url, trust_env=False, timeout=60)

    def call(self, method: str, route: str, *, who: str = "admin", **options: Any) -> Any:
        """One call of its API as somebody; fails unless it succeeds."""
        auth = (who, self.passwords[who])
        options["params"] = {"rest_route": f"/wp/v2/{route}", **options.get("params", {})}
        answer = self._http.request(method, "/", auth=auth, **options)
        assert answer.is_success, answer.text
        return answer.json()

    def article(self, title: str = "Export is here", **more: Any) -> int:
        """The admin publishes an article."""
        return int(self.call("POST", "posts", json={"title": title, "status": "publish", **more})["id"])

    def comment(self, article: int, content: str, *, by: str = "", guest: str = "Cleo", **more: Any) -> dict[str, Any]:
        """Somebody comments: a registered user, or a guest with a name and an e-mail address."""
        who: dict[str, Any] = (
            {"author": int(self.ids[by])}
            if by
            else {"author_name": guest, "author_email": f"{guest.lower()}@guests.example"}
        )
        said = {"post": article, "content": content, "status": "approved", **who, **more}
        return dict(self.call("POST", "comments", json=said))

    def moderate(self, comment: dict[str, Any] | str, **change: Any) -> None:
        """The admin edits a comment, or moves it: status approved, hold, spam or trash."""
        number = comment if isinstance(comment, str) else comment["id"]
        self.call("POST", f"comments/{number}", json=change)

    def delete(self, comment: dict[str, Any] | str) -> None:
        """The admin deletes a comment for good."""
        number = comment if isinstance(comment, str) else comment["id"]
        self.call("DELETE", f"comments/{number}", params={"force": "true"})

    def replies_to(self, comment: dict[str, Any] | str) -> list[dict[str, Any]]:
        """What hangs right under a comment, held or not."""
        number = comment if isinstance(comment, str) else comment["id"]
        return [
            reply
            for status in ("approve", "hold", "spam")
            for reply in self.call(
                "GET", "comments", params={"parent": number, "status": status, "context": "edit", "per_page": 100}
            )
        ]

    def breaks(self, how: str) -> None:
        """The next comment is held, spam, flood, fatal, gateway or slow."""
        (self.folder / "wp-content" / f"break-{how}").touch()

    def run(self, php: str) -> str:
        """Some PHP inside WordPress, as its admin would have it by a plugin or a setting."""
        code = f"$_SERVER['HTTP_HOST'] = '127.0.0.1'; require 'wp-load.php'; {php}"
        return subprocess.run(
            ["php", "-r", code], cwd=self.folder, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


@contextmanager
def start_wordpress() -> Iterator[WordPressSite]:
    """A fresh site on loopback, ended by the ids of its processes."""
    require_wordpress()
    with tempfile.TemporaryDirectory(prefix="wordpress-") as place, ExitStack() as stack:
        folder, log = Path(place, "site"), Path(place, "log")
        socket = Path(place, "db.sock")
        out = stack.enter_context(log.open("wb"))
        _start_database(stack, Path(place, "db"), socket, out)
        port = free_port()
        base_url = f"http://127.0.0.1:{port}"
        _lay_out(folder, base_url, socket)
        _wait_for_database(socket, log)
        setup = subprocess.run(
            ["php", "setup.php"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        if setup.returncode:
            pytest.fail(f"WordPress was not set up: {setup.stdout[-1000:]} {setup.stderr[-1000:]}")
        server = stack.enter_context(
            subprocess.Popen(
                ["php", "-d", "memory_limit=512M", "-S", f"127.0.0.1:{port}", "-t", str(folder), "router.php"],
                cwd=folder,
                env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        )
        stack.callback(_end_family, server)
        site = WordPressSite(base_url, folder, json.loads(setup.stdout[setup.stdout.index("{") :]))
        stack.callback(site.close)
        _wait_for_site(site, server, log)
        yield site


def _start_database(stack: ExitStack, data: Path, socket: Path, out: Any) -> None:
    user = f"--user={getpass.getuser()}"
    install = _program("mariadb-install-db")
    server = _program("mariadbd")
    assert install is not None
    assert server is not None
    subprocess.run(
        [
            install,
            "--no-defaults",
            f"--datadir={data}",
            user,
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
        ],
        check=True,
        stdout=out,
        stderr=out,
    )
    database = stack.enter_context(
        subprocess.Popen(
            [
                *(server, "--no-defaults", f"--datadir={data}", user, f"--socket={socket}", "--skip-networking"),
                *(f"--pid-file={data}/pid", "--innodb-flush-log-at-trx-commit=0"),
            ],
            stdout=out,
            stderr=out,
        )
    )
    stack.callback(database.kill)


def _lay_out(folder: Path, base_url: str, socket: Path) -> None:
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("wp-config.php"), ignore_dangling_symlinks=True)
    for path, text in {
        "wp-config.php": CONFIG.format(base_url=base_url, socket=socket),
        "router.php": ROUTER,
        "setup.php": SETUP,
        "wp-content/mu-plugins/tests.php": PLUGIN,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _wait_for_database(socket: Path, log: Path) -> None:
    deadline = time.monotonic() + 60
    command = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "-e", "CREATE DATABASE wordpress"]
    while time.monotonic() < deadline:
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail(f"MariaDB did not start: {log.read_text(errors='replace')[-2000:]}")


def _wait_for_site(site: WordPressSite, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(httpx.TransportError, AssertionError):
            site.call("GET", "users/me")
            return
        time.sleep(0.1)
    pytest.fail(f"WordPress did not start: {log.read_text(errors='replace')[-2000:]}")


def _end_family(server: subprocess.Popen[bytes]) -> None:
    """PHP's workers are children of its server, in a session of their own."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, 9)
