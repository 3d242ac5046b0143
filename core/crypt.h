/* Secrets at rest: AES-256-GCM with a key file in the data folder, in the form that Stagent 0.7.0
 * writes, base64(iv):base64(tag):base64(ciphertext), so that either program reads the other's.
 *
 * The key file, <data folder>/.keyfile, is 32 random bytes, mode 0600. It is complete from the
 * moment it exists, is never overwritten and never followed through a symbolic link. Keys and
 * plain texts are wiped when they are no longer used, and never logged. These functions do file
 * work: call them before a transaction, not inside one. */
#ifndef CORE_CRYPT_H
#define CORE_CRYPT_H

#include "core/arena.h"
#include "core/err.h"

#define CRYPT_KEY_SIZE 32
#define CRYPT_IV_SIZE 12

/* Encrypts PLAIN with the key of DATA_DIR, which is made on first need (the folder too), and leaves
 * what is to be stored in *OUT, in the arena. RC_TOOLARGE beyond 1 MiB. */
enum rc crypt_encrypt(struct arena *a, const char *data_dir, const char *plain, const char **out,
    struct err *e);
/* The plain text of what was stored; wiped with the arena. NULL where it cannot be decrypted: the
 * reason is in the program's log. */
const char *crypt_decrypt(struct arena *a, const char *data_dir, const char *stored);

/* The two steps with a given key, and IV; NULL on failure. */
const char *crypt_seal(struct arena *a, const unsigned char key[CRYPT_KEY_SIZE],
    const unsigned char iv[CRYPT_IV_SIZE], const char *plain);
const char *crypt_open(struct arena *a, const unsigned char key[CRYPT_KEY_SIZE],
    const char *stored);

#endif
