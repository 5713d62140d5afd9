/* Runs every file of the folders and files named on the command line through the fuzz target it is
 * linked with: the corpus as an ordinary test, for builds without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_run;

static void replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(1);
	}
	size_t cap = 1 << 16, len = 0;
	uint8_t *data = malloc(cap);
	for (size_t n; data && (n = fread(data + len, 1, cap - len, f)) > 0;) {
		len += n;
		if (len == cap) {
			uint8_t *more = realloc(data, cap *= 2);
			if (!more)
				abort();
			data = more;
		}
	}
	(void)fclose(f);
	/* An exact-size copy, so that the sanitizer sees the first byte read too far. */
	uint8_t *exact = malloc(len ? len : 1);
	if (!exact || !data)
		abort();
	memcpy(exact, data, len);
	free(data);
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	n_run++;
}

static void replay(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir) {
		replay_file(path);
		return;
	}
	for (const struct dirent *e; (e = readdir(dir));) {
		char sub[4096];
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		replay(sub);
	}
	(void)closedir(dir);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%u inputs replayed\n", n_run);
	if (!n_run) {
		fprintf(stderr, "no corpus: a fuzz target without inputs tests nothing\n");
		return 1;
	}
	return 0;
}
