// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/helper.h"
#include "kernel/cthelper.h"
#include "output/say.h"
#include "settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A rule can only name a helper that the kernel knows. */
static int prepare_helper(const struct request *request)
{
	int error = request->attach.mode == MODE_CTHELPER ? helper_prepare() : 0;

	if (error == -EPERM)
		say_sentence("to apply rules needs CAP_NET_ADMIN: run this as root");
	else if (error == -EEXIST)
		say_sentence("the helper `" CTHELPER_NAME "' is a kernel module's: use --mode kmod");
	else if (error)
		say_sentence("this kernel cannot register the helper `" CTHELPER_NAME "' (%s; "
			     "CONFIG_NF_CT_NETLINK_HELPER, module nfnetlink_cthelper): use --mode queue",
			     strerror(-error));
	return error;
}

int settle_take_rules_away(const struct backend *named, const struct backend *kept)
{
	int failure = 0;

	for (unsigned int i = 0; i < BACKENDS; i++) {
		const bool meant = named ? backends[i] == named : backends[i] != kept && backends_have(backends[i]);
		int error = meant ? backends[i]->remove() : 0;

		if (!failure)
			failure = error;
	}
	return failure;
}

/* The other backends' rules go: with both in place every packet would be queued twice. */
int settle_place_rules(const struct request *request, const struct backend *backend)
{
	int error = prepare_helper(request);

	if (!error)
		error = backend->apply(request);
	return error ? error : settle_take_rules_away(NULL, backend);
}
