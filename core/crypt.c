/* The cipher comes from libcrypto; this file has the form of the stored text and the key file. */
#include "core/crypt.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/id.h"
#include "core/log.h"

#define TAG_SIZE 16
#define TEXT_MAX ((size_t)1 << 20)

struct secret {
	void *data;
	size_t n;
};

static void wipe(void *arg)
{
	struct secret *s = arg;

	OPENSSL_cleanse(s->data, s->n);
}

/* N bytes in the arena that are wiped with it. */
static unsigned char *secret_alloc(struct arena *a, size_t n)
{
	struct secret *s = arena_new_of(a, struct secret);

	*s = (struct secret){ arena_alloc(a, n), n };
	arena_cleanup(a, wipe, s);
	return s->data;
}

const char *crypt_seal(struct arena *a, const unsigned char key[CRYPT_KEY_SIZE],
    const unsigned char iv[CRYPT_IV_SIZE], const char *plain)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t n = strlen(plain);
	unsigned char *out, tag[TAG_SIZE];
	int len = 0;
	bool ok;

	if (!c || n > TEXT_MAX) {
		EVP_CIPHER_CTX_free(c);
		return NULL;
	}
	out = arena_alloc(a, n + 1);
	ok = EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
	     EVP_EncryptUpdate(c, out, &len, (const unsigned char *)plain, (int)n) == 1 &&
	     EVP_EncryptFinal_ex(c, out + len, &len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!ok)
		return NULL;
	return arena_printf(a, "%s:%s:%s", base64_encode(a, iv, CRYPT_IV_SIZE),
	    base64_encode(a, tag, TAG_SIZE), base64_encode(a, out, n));
}

/* Splits the stored text into its three parts. */
static bool split(struct arena *a, const char *s, unsigned char *part[3], size_t size[3])
{
	if (strlen(s) > 2 * TEXT_MAX)
		return false;
	for (int i = 0; i < 3; i++) {
		size_t n = strcspn(s, ":");

		if ((i < 2) != (s[n] == ':'))
			return false;
		part[i] = base64_decode(a, s, n, &size[i]);
		if (!part[i])
			return false;
		s += n + (i < 2);
	}
	return size[0] == CRYPT_IV_SIZE && size[1] == TAG_SIZE;
}

const char *crypt_open(struct arena *a, const unsigned char key[CRYPT_KEY_SIZE],
    const char *stored)
{
	unsigned char *part[3], *out;
	size_t size[3];
	EVP_CIPHER_CTX *c;
	int len = 0;
	bool ok;

	if (!split(a, stored, part, size))
		return NULL;
	out = secret_alloc(a, size[2] + 1);
	c = EVP_CIPHER_CTX_new();
	ok = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, part[0]) == 1 &&
	     EVP_DecryptUpdate(c, out, &len, part[2], (int)size[2]) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, part[1]) == 1 &&
	     EVP_DecryptFinal_ex(c, out + len, &len) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok && strlen((char *)out) == size[2] ? (const char *)out : NULL;
}

/* Writes a new key beside its place and links it there, unless another process was faster. */
static enum rc make_key(struct arena *a, const char *dir, const char *path, struct err *e)
{
	const char *tmp = arena_printf(a, "%s.%s", path, id_make(a));
	unsigned char key[CRYPT_KEY_SIZE];
	int fd, dir_fd;
	bool ok;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_internal(e, RC_IO, "%s: %s", dir, strerror(errno));
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_internal(e, RC_IO, "%s: %s", tmp, strerror(errno));
	random_bytes(key, sizeof key);
	ok = write(fd, key, sizeof key) == (ssize_t)sizeof key && fsync(fd) == 0;
	OPENSSL_cleanse(key, sizeof key);
	if (ok && link(tmp, path) < 0 && errno != EEXIST)
		ok = false;
	if (!ok)
		err_internal(e, RC_IO, "cannot make %s: %s", path, strerror(errno));
	close(fd);
	unlink(tmp);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd >= 0) {
		fsync(dir_fd);
		close(dir_fd);
	}
	return ok ? RC_OK : RC_IO;
}

static int open_key(const char *path)
{
	return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Reads the key, after making it where MAKE is set and there is none. */
static enum rc load_key(struct arena *a, const char *dir, bool make,
    unsigned char key[CRYPT_KEY_SIZE], struct err *e)
{
	const char *path = arena_printf(a, "%s/.keyfile", dir);
	int fd = open_key(path);
	struct stat st;
	bool ok;

	if (fd < 0 && errno == ENOENT && make) {
		if (make_key(a, dir, path, e) != RC_OK)
			return e->rc;
		fd = open_key(path);
	}
	if (fd < 0)
		return err_internal(e, RC_IO, "%s: %s", path, strerror(errno));
	ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == CRYPT_KEY_SIZE &&
	     read(fd, key, CRYPT_KEY_SIZE) == CRYPT_KEY_SIZE;
	close(fd);
	if (!ok)
		return err_internal(e, RC_IO, "%s is no file of %d bytes", path, CRYPT_KEY_SIZE);
	return RC_OK;
}

enum rc crypt_encrypt(struct arena *a, const char *data_dir, const char *plain, const char **out,
    struct err *e)
{
	unsigned char key[CRYPT_KEY_SIZE], iv[CRYPT_IV_SIZE];
	enum rc rc;

	if (strlen(plain) > TEXT_MAX)
		return err_set(e, RC_TOOLARGE, "The key is too long");
	if ((rc = load_key(a, data_dir, true, key, e)) != RC_OK)
		return rc;
	random_bytes(iv, sizeof iv);
	*out = crypt_seal(a, key, iv, plain);
	OPENSSL_cleanse(key, sizeof key);
	return *out ? RC_OK : err_internal(e, RC_BUG, "encrypting a secret failed");
}

const char *crypt_decrypt(struct arena *a, const char *data_dir, const char *stored)
{
	unsigned char key[CRYPT_KEY_SIZE];
	struct err e = { 0 };
	const char *plain;

	if (load_key(a, data_dir, false, key, &e) != RC_OK) {
		log_warn("a stored secret cannot be read: %s", e.cause);
		return NULL;
	}
	plain = crypt_open(a, key, stored);
	OPENSSL_cleanse(key, sizeof key);
	if (!plain)
		log_warn("a stored secret cannot be decrypted with the key file");
	return plain;
}
