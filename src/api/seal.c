#include "api/seal.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONCE_SIZE 12
#define TAG_SIZE   16

static int key_make(const char *path, struct chance chance, struct fault *fault)
{
	unsigned char bytes[SEAL_KEY_SIZE];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST
			       ? 0
			       : fault_set(fault, FAULT_INTERNAL, "cannot make the key file %s: %s",
					   path, g_strerror(errno));
	chance.fill(chance.ctx, bytes, sizeof(bytes));
	bool is_written = write(fd, bytes, sizeof(bytes)) == sizeof(bytes) && fsync(fd) == 0;
	OPENSSL_cleanse(bytes, sizeof(bytes));
	close(fd);
	if (is_written)
		return 0;
	unlink(path);
	return fault_set(fault, FAULT_INTERNAL, "cannot write the key file %s", path);
}

static int key_read(int fd, const char *path, struct seal_key *ret, struct fault *fault)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
		return fault_set(fault, FAULT_INTERNAL,
				 "the key file %s must be a file of mode 0600: chmod 600 it", path);
	if (st.st_size != SEAL_KEY_SIZE || read(fd, ret->bytes, SEAL_KEY_SIZE) != SEAL_KEY_SIZE)
		return fault_set(fault, FAULT_INTERNAL,
				 "the key file %s must hold %d bytes; restore it from a backup",
				 path, SEAL_KEY_SIZE);
	return 0;
}

int seal_key_load(const char *path, struct chance chance, struct seal_key *ret, struct fault *fault)
{
	if (key_make(path, chance, fault) < 0)
		return -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fault_set(fault, FAULT_INTERNAL, "cannot open the key file %s: %s", path,
				 g_strerror(errno));
	int error = key_read(fd, path, ret, fault);
	close(fd);
	return error;
}

void seal(const struct seal_key *key, struct chance chance, const char *label, const void *plain,
	  size_t n, void *out)
{
	unsigned char *nonce = out, *text = nonce + NONCE_SIZE, *tag = text + n;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;
	CHECK(ctx && n <= INT32_MAX);
	chance.fill(chance.ctx, nonce, NONCE_SIZE);
	bool is_done = EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, nonce) == 1 &&
		       EVP_EncryptUpdate(ctx, NULL, &len, (const unsigned char *)label,
					 (int)strlen(label)) == 1 &&
		       EVP_EncryptUpdate(ctx, text, &len, plain, (int)n) == 1 &&
		       EVP_EncryptFinal_ex(ctx, tag, &len) == 1 &&
		       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) == 1;
	CHECK(is_done);
	EVP_CIPHER_CTX_free(ctx);
}

int unseal(const struct seal_key *key, const char *label, const void *sealed, size_t n, void *plain)
{
	const unsigned char *nonce = sealed, *text = nonce + NONCE_SIZE;
	unsigned char tag[TAG_SIZE];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;
	CHECK(ctx);
	bool is_good = n >= SEAL_OVERHEAD && n <= INT32_MAX;
	if (is_good)
		memcpy(tag, (const unsigned char *)sealed + n - TAG_SIZE, TAG_SIZE);
	is_good = is_good &&
		  EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, nonce) == 1 &&
		  EVP_DecryptUpdate(ctx, NULL, &len, (const unsigned char *)label,
				    (int)strlen(label)) == 1 &&
		  EVP_DecryptUpdate(ctx, plain, &len, text, (int)(n - SEAL_OVERHEAD)) == 1 &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
		  EVP_DecryptFinal_ex(ctx, tag, &len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return is_good ? 0 : -1;
}

void seal_derive(const struct seal_key *key, const char *purpose, unsigned char out[SEAL_KEY_SIZE])
{
	unsigned n;
	CHECK(HMAC(EVP_sha256(), key->bytes, SEAL_KEY_SIZE, (const unsigned char *)purpose,
		   strlen(purpose), out, &n));
}
