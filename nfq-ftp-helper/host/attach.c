// SPDX-License-Identifier: GPL-2.0-or-later
#include "attach.h"

#include "helper.h"
#include "module.h"

#include <errno.h>
#include <stdio.h>

const struct attach attach_default = {
	.queues.given = true,
};

const char *const mode_names[MODES + 1] = {
	[MODE_AUTO] = "auto",
	[MODE_QUEUE] = "queue",
	[MODE_CTHELPER] = "cthelper",
	[MODE_KMOD] = "kmod",
};

const char *const attach_seqadj_names[ATTACH_SEQADJ_MODES + 1] = {
	[SEQADJ_MODE_AUTO] = "auto",
	[SEQADJ_MODE_KERNEL] = "kernel",
	[SEQADJ_MODE_SELF] = ATTACH_ADJUSTED_BY_SELF,
};

void attach_choose(struct attach *attach)
{
	attach->mode = MODE_QUEUE;
	if (attach->labels)
		return;
	if (module_is_loaded(MODULE_NAME))
		attach->mode = MODE_KMOD;
	else if (queue_range_count(&attach->queues) == 1 && !attach->sure_queues.given && helper_offered() == 0)
		attach->mode = MODE_CTHELPER;
}

bool attach_settle(struct attach *attach)
{
	return attach->mode != MODE_QUEUE || attach->sure_queues.given ||
	       queue_range_next(&attach->queues, &attach->sure_queues);
}

int attach_adopt_module(struct attach *attach)
{
	long long queue = 0, queues = 1, sure = -1, mark = 0;
	int error = module_is_loaded(MODULE_NAME) ? module_parameter("queue", &queue) : -ENOENT;

	if (!error)
		error = module_parameter("queues", &queues);
	if (!error)
		error = module_parameter("sure_queue", &sure);
	if (!error)
		error = module_parameter("mark", &mark);
	if (error)
		return error;
	attach->mark = attach->mark_mask = (uint32_t)mark;
	/* A negative sure queue is none of its own. */
	attach->sure_queues.given = false;
	if (!queue_range_set(&attach->queues, queue, queues) ||
	    (sure >= 0 && !queue_range_set(&attach->sure_queues, sure, queues)))
		return -ERANGE;
	return 0;
}

const char *attach_complaint(const struct attach *attach, char text[ATTACH_COMPLAINT_MAX])
{
	const struct queue_range *queues = &attach->queues, *sure = &attach->sure_queues;

	if (attach->labels && attach->mode != MODE_QUEUE && attach->mode != MODE_AUTO) {
		snprintf(text, ATTACH_COMPLAINT_MAX, "--label is for rules that queue: give --mode queue, and not %s",
			 mode_names[attach->mode]);
		return text;
	}
	if (attach->mode == MODE_CTHELPER && queue_range_count(queues) != 1) {
		snprintf(
			text, ATTACH_COMPLAINT_MAX,
			"--queue %u:%u is not possible: a conntrack helper has one queue; --mode queue and --mode kmod have "
			"several",
			queues->first, queues->last);
		return text;
	}
	if (!sure->given)
		return NULL;
	if (queue_range_count(sure) != queue_range_count(queues))
		snprintf(text, ATTACH_COMPLAINT_MAX,
			 "--sure-queue names %u queues, but --queue %u: they must be as many", queue_range_count(sure),
			 queue_range_count(queues));
	else if (sure->first <= queues->last && queues->first <= sure->last)
		snprintf(text, ATTACH_COMPLAINT_MAX,
			 "--sure-queue %u:%u and --queue %u:%u overlap: they must be different", sure->first,
			 sure->last, queues->first, queues->last);
	else
		return NULL;
	return text;
}
