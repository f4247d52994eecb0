// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules_place.h"

#include "host/helper.h"
#include "host/module.h"
#include "kernel/cthelper.h"
#include "ruleset/marks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int rules_settle(struct request *request, char complaint[OPTION_COMPLAINT_MAX])
{
	struct attach *attach = &request->attach;
	char way[MODULE_WAY_MAX];

	if (attach->mode == MODE_AUTO)
		attach_choose(attach);
	if (attach->mode == MODE_KMOD && !module_is_loaded(MODULE_NAME)) {
		snprintf(complaint, OPTION_COMPLAINT_MAX,
			 "--mode kmod needs the module " MODULE_NAME ", which is not loaded: %s; --mode queue does "
			 "without",
			 module_way(MODULE_NAME, way));
		return -ENOENT;
	}
	marks_settle(attach, &request->ports, true);
	if (attach_settle(attach))
		return 0;
	snprintf(complaint, OPTION_COMPLAINT_MAX, "--queue %u:%u leaves no numbers behind it: give --sure-queue, too",
		 attach->queues.first, attach->queues.last);
	return -EINVAL;
}

/* A rule can only name a helper that the kernel knows. */
static int prepare_helper(const struct request *request)
{
	int error = request->attach.mode == MODE_CTHELPER ? helper_prepare() : 0;

	if (error == -EPERM)
		fprintf(stderr, "nfq-ftp-helper: to apply rules needs CAP_NET_ADMIN: run this as root\n");
	else if (error == -EEXIST)
		fprintf(stderr,
			"nfq-ftp-helper: the helper `" CTHELPER_NAME "' is a kernel module's: use --mode kmod\n");
	else if (error)
		fprintf(stderr,
			"nfq-ftp-helper: this kernel cannot register the helper `" CTHELPER_NAME "' (%s; "
			"CONFIG_NF_CT_NETLINK_HELPER, module nfnetlink_cthelper): use --mode queue\n",
			strerror(-error));
	return error;
}

int rules_take_away(const struct backend *named, const struct backend *kept)
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
int rules_place(const struct request *request, const struct backend *backend)
{
	int error = prepare_helper(request);

	if (!error)
		error = backend->apply(request);
	return error ? error : rules_take_away(NULL, backend);
}
