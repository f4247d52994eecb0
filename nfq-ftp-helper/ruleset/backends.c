// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends.h"

#include "host/program.h"
#include "iptables_chains.h"

#include <string.h>
#include <unistd.h>

const struct backend *const backends[BACKENDS] = { &nft_backend, &iptables_backend };
const char *const backend_names[BACKENDS + 1] = { NFT_NAME, IPTABLES_NAME };

bool backends_have(const struct backend *backend)
{
	return program_exists(backend->name);
}

bool backends_own(const struct found_chain *chain)
{
	return strncmp(chain->name, IPTABLES_PREFIX, strlen(IPTABLES_PREFIX)) == 0 ||
	       strcmp(chain->table, NFT_TABLE) == 0;
}

/* A helper of user space may not be registered yet: in these modes, that the program is installed must do. */
static bool backend_suits(const struct backend *backend, const struct request *request)
{
	if (!backends_have(backend))
		return false;
	return !backend->check || request->attach.mode != MODE_QUEUE || geteuid() != 0 || backend->check(request) == 0;
}

const struct backend *backends_choose(const struct request *request)
{
	for (unsigned int i = 0; i < BACKENDS; i++) {
		if (backend_suits(backends[i], request))
			return backends[i];
	}
	return backends[BACKENDS - 1];
}
