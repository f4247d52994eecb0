// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What this kernel does not know of yet is left out: each version adds to the ones before. The numbers are the kernel's own
 * (include/uapi/linux/landlock.h); the headers of the oldest distribution that this is built on have the first two versions only.
 */
#include "landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As of version 6. */
struct ruleset {
	uint64_t files;
	uint64_t network;
	uint64_t scoped;
};

struct rule {
	uint64_t allowed;
	int32_t directory;
} __attribute__((packed));

#define RULE_BELOW  1
#define ASK_VERSION 1u

enum {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	REMOVE_DIRECTORY = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_CHARACTER_DEVICE = 1 << 6,
	MAKE_DIRECTORY = 1 << 7,
	MAKE_FILE = 1 << 8,
	MAKE_SOCKET = 1 << 9,
	MAKE_PIPE = 1 << 10,
	MAKE_BLOCK_DEVICE = 1 << 11,
	MAKE_LINK = 1 << 12,
	TRUNCATE = 1 << 14,
	CONTROL_DEVICE = 1 << 15,

	BIND_TCP = 1 << 0,
	CONNECT_TCP = 1 << 1,

	ABSTRACT_SOCKETS = 1 << 0,
	SIGNALS = 1 << 1,
};

/* Moving a file into another directory (1 << 13) is forbidden wherever it is not allowed, known or not. */
static const struct {
	unsigned int version;
	struct ruleset forbidden;
	uint64_t allowed; /* of files, below the directory */
} versions[] = {
	{ 1,
	  { .files = EXECUTE | WRITE_FILE | REMOVE_DIRECTORY | REMOVE_FILE | MAKE_CHARACTER_DEVICE | MAKE_DIRECTORY |
		     MAKE_FILE | MAKE_SOCKET | MAKE_PIPE | MAKE_BLOCK_DEVICE | MAKE_LINK },
	  WRITE_FILE | REMOVE_FILE | MAKE_FILE | MAKE_SOCKET },
	{ 3, { .files = TRUNCATE }, TRUNCATE },
	{ 4, { .network = BIND_TCP | CONNECT_TCP }, 0 },
	{ 5, { .files = CONTROL_DEVICE }, 0 },
	{ 6, { .scoped = ABSTRACT_SOCKETS | SIGNALS }, 0 },
};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

unsigned int landlock_version(void)
{
	const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

	return version > 0 ? (unsigned int)version : 0;
}

/* A kernel takes a longer structure than it knows as long as zeroes are in the rest. */
static int make(unsigned int version, uint64_t *allowed)
{
	struct ruleset ruleset = { 0 };
	long file;

	*allowed = 0;
	for (unsigned int i = 0; i < VERSIONS && versions[i].version <= version; i++) {
		ruleset.files |= versions[i].forbidden.files;
		ruleset.network |= versions[i].forbidden.network;
		ruleset.scoped |= versions[i].forbidden.scoped;
		*allowed |= versions[i].allowed;
	}
	file = syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	return file < 0 ? -errno : (int)file;
}

int landlock_enter(unsigned int version, int directory)
{
	uint64_t allowed;
	const int ruleset = make(version, &allowed);
	const struct rule rule = { .allowed = allowed, .directory = directory };
	int error = 0;

	if (ruleset < 0)
		return ruleset;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_BELOW, &rule, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		error = -errno;
	close(ruleset);
	return error;
}
