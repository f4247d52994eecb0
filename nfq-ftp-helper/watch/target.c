// SPDX-License-Identifier: GPL-2.0-or-later
#include "standing.h"

#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <string.h>

static unsigned int target_queue(const struct sought *sought, unsigned int revision, const void *info, size_t length)
{
	struct xt_NFQ_info_v1 queue = { .queues_total = 1 };
	const size_t known = revision ? sizeof(queue) : sizeof(struct xt_NFQ_info);

	if (length < known)
		return 0;
	memcpy(&queue, info, known);
	return standing_of_queues(sought, queue.queuenum, queue.queues_total);
}

static unsigned int target_helper(const struct sought *sought, const void *info, size_t length)
{
	const size_t at = offsetof(struct xt_ct_target_info, helper);

	if (length < at + STANDING_HELPER_MAX)
		return 0;
	return standing_of_helper(sought, (const char *)info + at, STANDING_HELPER_MAX);
}

_Static_assert(offsetof(struct xt_ct_target_info, helper) == offsetof(struct xt_ct_target_info_v1, helper),
	       "the helper stands at one place in all revisions");

unsigned int standing_of_target(const struct sought *sought, const char *name, unsigned int revision, const void *info,
				size_t length)
{
	if (strcmp(name, "NFQUEUE") == 0)
		return target_queue(sought, revision, info, length);
	return strcmp(name, "CT") == 0 ? target_helper(sought, info, length) : 0;
}
