// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. Where no mode is said there are three who may know: the rules that are there, whose packets come one way only; the
 * machine, which has the module or not, helpers of user space or not; and what its kernel does with data connections. Some kernels give these the
 * helper of their control connection (Debian's 6.1.176 and 6.12.95 do): one of user space then queues all of their packets, which rules do
 * not. So there rules are better, where the kernel can queue by them. That is found out by doing it: a version's number says little of
 * what a distribution has put into it.
 */
#include "settle.h"

#include "host/module.h"
#include "ruleset/backend.h"
#include "ruleset/found_read.h"
#include "ruleset/marks.h"
#include "trial/probes.h"

#include <errno.h>
#include <string.h>

/* ---- which mode ---- */

/* Can rules of this backend, or of any where none is named, assign a helper and queue? */
static bool rules_can_queue(const struct probes *probes, const char *backend)
{
	const bool nft = probe_can(probes, PROBE_NFT_HELPER) && probe_can(probes, PROBE_NFT_QUEUE);
	const bool iptables = probe_can(probes, PROBE_XT_HELPER) && probe_can(probes, PROBE_XT_QUEUE);

	if (!backend)
		return nft || iptables;
	return strcmp(backend, nft_backend.name) == 0 ? nft : iptables;
}

/* Would a helper of user space get the packets of data connections, too, and do rules without it? */
static bool rules_are_better(const struct request *asked)
{
	struct probes probes = { 0 };
	const unsigned int wanted = PROBE_BIT(PROBE_NFT_HELPER) | PROBE_BIT(PROBE_NFT_QUEUE) |
				    PROBE_BIT(PROBE_XT_HELPER) | PROBE_BIT(PROBE_XT_QUEUE) |
				    PROBE_BIT(PROBE_DATA_ALONE);

	return probes_run(&probes, ATTACH_CARRIER, wanted) == 0 &&
	       probes.result[PROBE_DATA_ALONE].outcome == PROBE_NO && rules_can_queue(&probes, asked->backend);
}

static void choose_mode(struct attach *attach, const struct request *asked)
{
	attach_choose(attach);
	if (attach->mode == MODE_CTHELPER && rules_are_better(asked))
		attach->mode = MODE_QUEUE;
}

/* Told of no mode, it is of the rules' mode, and has their queues where it was told of none. */
static void follow_rules(struct attach *attach, const struct findings *findings)
{
	attach->mode = findings->mode;
	if (findings->mode != MODE_QUEUE)
		return;
	attach->queues = findings->request.attach.queues;
	attach->sure_queues = findings->request.attach.sure_queues;
	if (findings->some_only && attach->seqadj == SEQADJ_MODE_AUTO)
		attach->seqadj = SEQADJ_MODE_KERNEL;
}

bool settle_queues(struct attach *attach, char complaint[SETTLE_COMPLAINT_MAX])
{
	if (attach_settle(attach))
		return true;
	snprintf(complaint, SETTLE_COMPLAINT_MAX, "--queue %u:%u leaves no numbers behind it: give --sure-queue, too",
		 attach->queues.first, attach->queues.last);
	return false;
}

int settle_rules(struct request *request, char complaint[SETTLE_COMPLAINT_MAX])
{
	struct attach *attach = &request->attach;
	char way[MODULE_WAY_MAX];

	if (attach->mode == MODE_AUTO)
		choose_mode(attach, request);
	if (attach->mode == MODE_KMOD && !module_is_loaded(MODULE_NAME)) {
		snprintf(complaint, SETTLE_COMPLAINT_MAX,
			 "--mode kmod needs the module " MODULE_NAME ", which is not loaded: %s; --mode queue does "
			 "without",
			 module_way(MODULE_NAME, way));
		return -ENOENT;
	}
	marks_settle(attach, &request->ports, true);
	return settle_queues(attach, complaint) ? 0 : -EINVAL;
}

/* ---- does it go with the rules that are there? ---- */

/* The rules of one serve the other: both have the helper of this name. */
static bool by_helper(enum mode mode)
{
	return mode == MODE_CTHELPER || mode == MODE_KMOD;
}

static bool agree_on_mode(const struct attach *attach, const struct findings *findings, const char *command,
			  char complaint[SETTLE_COMPLAINT_MAX])
{
	if (findings->mode == attach->mode || (by_helper(findings->mode) && by_helper(attach->mode)))
		return true;
	snprintf(complaint, SETTLE_COMPLAINT_MAX,
		 "the rules that are there are of mode %s, and this is mode %s, so that no packet comes here: "
		 "`%s' makes others, or start this with --mode %s",
		 mode_names[findings->mode], mode_names[attach->mode], command, mode_names[findings->mode]);
	return false;
}

#define QUEUES_TEXT_MAX 64

/* "--queue 4:5 --sure-queue 6:7" */
static const char *queues_text(const struct queue_range *queues, const struct queue_range *sure,
			       char text[QUEUES_TEXT_MAX])
{
	char normal[QUEUE_RANGE_TEXT_MAX], marked[QUEUE_RANGE_TEXT_MAX];

	snprintf(text, QUEUES_TEXT_MAX, "--queue %s%s%s", queue_range_text(queues, normal),
		 sure->given ? " --sure-queue " : "", sure->given ? queue_range_text(sure, marked) : "");
	return text;
}

static bool within(const struct queue_range *inner, const struct queue_range *outer)
{
	return !inner->given || (outer->given && outer->first <= inner->first && inner->last <= outer->last);
}

static bool agree_on_queues(const struct attach *attach, const struct findings *findings,
			    char complaint[SETTLE_COMPLAINT_MAX])
{
	char there[QUEUES_TEXT_MAX], here[QUEUES_TEXT_MAX];

	if (within(&findings->queues, &attach->queues) && within(&findings->sure_queues, &attach->sure_queues))
		return true;
	snprintf(
		complaint, SETTLE_COMPLAINT_MAX,
		"the rules that are there are for %s, and this was started with %s, so that nobody takes some of their "
		"packets: start it with theirs",
		queues_text(&findings->queues, &findings->sure_queues, there),
		queues_text(&attach->queues, &attach->sure_queues, here));
	return false;
}

static bool agree_on_helper(const struct findings *findings, char complaint[SETTLE_COMPLAINT_MAX])
{
	const struct finding *dead = &findings->wrong[FINDING_HELPER_DEAD];

	if (dead->seen)
		snprintf(complaint, SETTLE_COMPLAINT_MAX, "%.300s: `%.*s' makes the rules anew", dead->text,
			 REQUEST_COMMAND_MAX - 1, dead->remedy);
	return !dead->seen;
}

/* The sentence of settle_run(), for rules that have been looked at. Return: whether there is nothing to be said. */
static bool agree(const struct attach *attach, const struct findings *findings, char complaint[SETTLE_COMPLAINT_MAX])
{
	struct request wanted = findings->request;
	char command[REQUEST_COMMAND_MAX];

	if (findings->mode == MODE_AUTO)
		return true;
	wanted.attach = *attach;
	request_apply(&wanted, command);
	if (!agree_on_mode(attach, findings, command, complaint) || !agree_on_helper(findings, complaint))
		return false;
	if (attach->mode != MODE_QUEUE)
		return true;
	if (findings->some_only && attach->seqadj != SEQADJ_MODE_KERNEL) {
		snprintf(complaint, SETTLE_COMPLAINT_MAX,
			 "the rules that are there leave packets without payload in the kernel, which goes with "
			 "--seqadj kernel only: `%s' makes others, or start this with --seqadj kernel",
			 command);
		return false;
	}
	return agree_on_queues(attach, findings, complaint);
}

bool settle_run(struct attach *attach, const struct request *asked, char complaint[SETTLE_COMPLAINT_MAX])
{
	static struct findings findings;
	struct request request = *asked;
	struct found found = { .ports = &asked->ports };
	const bool chosen = attach->mode == MODE_AUTO, read = found_read(&found) == 0, known = read && found.readable;

	request.attach = *attach;
	if (known)
		findings_of(&findings, &found, &request, NULL);
	if (chosen && known && !attach->labels && findings.mode != MODE_AUTO)
		follow_rules(attach, &findings);
	else if (chosen)
		choose_mode(attach, asked);
	marks_settle_by(attach, read ? &found : NULL, false);
	found_free(&found);
	/* The queues of `rules', so that neither needs to be told. */
	if (chosen)
		(void)attach_settle(attach);
	return !known || agree(attach, &findings, complaint);
}

void settle_doubts(const struct request *asked, void (*tell)(const char *sentence))
{
	const char *missing = request_missing_interface(asked);
	char sentence[SETTLE_COMPLAINT_MAX];

	if (missing) {
		snprintf(sentence, sizeof(sentence), REQUEST_MISSING_INTERFACE, missing);
		tell(sentence);
	}
	if (probes_changed_are_dropped(ATTACH_CARRIER))
		tell(PROBES_CHANGED_ARE_DROPPED ": " PROBES_CHANGED_REMEDY);
}
