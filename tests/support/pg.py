"""A PostgreSQL server of the test's own: a cluster in a temporary directory, a unix socket only, fsync on.

    with Postgres() as pg:
        url = pg.database()         # postgresql:///test1?host=...&user=postgres

PostgreSQL refuses to run as root: the server then runs as the account `postgres`. Server and directory go when the
test ends, also when it is killed: pg-keeper sees to that."""

import glob
import os
import pathlib
import shutil
import subprocess
import tempfile

BIN = pathlib.Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
KEEPER = pathlib.Path(__file__).with_name("pg-keeper")
AS_SERVER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]


class Postgres:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="thingward-pg-"))
        self.data = self.dir / "data"
        self.databases = 0
        self.keeper = subprocess.Popen([KEEPER, self.dir], stdin=subprocess.PIPE, start_new_session=True)

    def __enter__(self):
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")
        try:
            self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                      "--no-sync", "--locale=C.UTF-8")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        self.keeper.communicate()

    def start(self):
        options = (f"-c listen_addresses= -c unix_socket_directories={self.dir} -c fsync=on "
                   "-c recovery_init_sync_method=syncfs -c max_connections=60 -c shared_buffers=32MB")
        self._run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.dir / "server.log", "-o", options)

    def stop(self):
        """Ends the server at once, without a checkpoint or a word to its clients; start() recovers."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.data)

    def url(self, database):
        return f"postgresql:///{database}?host={self.dir}&user=postgres"

    def database(self):
        """Makes an empty database and returns its URL."""
        self.databases += 1
        name = f"test{self.databases}"
        self.sql(self.url("postgres"), f"create database {name}")
        return self.url(name)

    def sql(self, url, text):
        """Runs one statement and returns what psql prints, unaligned."""
        return subprocess.run(["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text, url],
                              check=True, capture_output=True, text=True).stdout

    def dump(self, url):
        """Everything in a database, as SQL."""
        return subprocess.run(["pg_dump", url], check=True, capture_output=True, text=True).stdout

    def _run(self, program, *args):
        command = [str(BIN / program), *map(str, args)]
        if os.geteuid() == 0:
            command = AS_SERVER + command
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")
