// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation. Every base chain that matters has one jump to a chain of this program's own. iptables-save
 * tells which of both are there; what is written for iptables-restore --noflush is the difference: a chain that is
 * named there is emptied first, a jump is only added where it is missing. Each table changes in one step.
 *
 * In raw the jump comes first: the first CT target that a packet meets is the one that counts. In mangle it comes
 * last: a packet that a queue gives back goes on behind that table, and would miss what stands behind the jump (an
 * MSS clamp, for instance). But the mark is taken off data connections before anybody else's rule can copy it.
 *
 * iptables over nf_tables makes tables and base chains when it first needs them. Which of them were made for us is
 * written down beside our rules, as a comment: then --remove can take them away, and leaves those that were there.
 */
#include "backend.h"
#include "host/program.h"
#include "iptables_chains.h"
#include "kernel/cthelper.h"
#include "output/say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void want(struct iptables_state *state, const struct request *request)
{
	for (unsigned int i = 0; i < IPTABLES_OWN; i++)
		state->own[i].wanted =
			request && (request->attach.mode == MODE_QUEUE || i >= IPTABLES_OWN_MARK_PREROUTING);
}

static void iptables_write_all(const struct request *request, FILE *out)
{
	struct iptables_state state = { 0 };

	want(&state, request);
	for (unsigned int i = 0; i < IPTABLES_FAMILIES; i++) {
		fprintf(out, "# %s, for %s --noflush\n", iptables_families[i].name, iptables_families[i].restore);
		iptables_write(request, &iptables_families[i], &state, out);
	}
}

static int restore(const struct iptables_family *family, const char *text, char *complaint)
{
	const char *const argv[] = { family->restore, "-w", "5", "--noflush", NULL };

	return text[0] ? program_run(argv, text, NULL, complaint) : 0;
}

static int change_to(const struct iptables_family *family, const struct request *request, struct iptables_state *state,
		     char *complaint)
{
	char *text = NULL;
	size_t length;
	FILE *out;
	int error;

	want(state, request);
	iptables_chains_foresee(family, state);
	out = open_memstream(&text, &length);
	if (!out)
		return -ENOMEM;
	iptables_write(request, family, state, out);
	error = fclose(out) ? -ENOMEM : restore(family, text, complaint);
	free(text);
	if (!error)
		iptables_chains_tidy(family, state);
	return error;
}

/* Bring one family to what @request wants; NULL: to nothing of ours. @before: filled in, to go back; NULL: no need. */
static int change_family(const struct iptables_family *family, const struct request *request, char **before,
			 char *complaint)
{
	struct iptables_state state;
	int error = iptables_chains_look(family, &state, complaint);

	if (!error)
		error = change_to(family, request, &state, complaint);
	if (before)
		*before = state.before;
	else
		free(state.before);
	return error;
}

/* Without IPv6 in the kernel there is nothing to filter. */
static bool is_present(const struct iptables_family *family)
{
	return strcmp(family->nft, "ip6") != 0 || access("/proc/net/if_inet6", F_OK) == 0;
}

/* Is there still what was there before? */
static bool is_unchanged(const struct iptables_family *family, const char *before)
{
	struct iptables_state now;
	bool same = iptables_chains_look(family, &now, NULL) == 0 && strcmp(now.before, before) == 0;

	free(now.before);
	return same;
}

/* After a failure: every family back to what it had. */
static void undo(char *const before[IPTABLES_FAMILIES])
{
	for (unsigned int i = 0; i < IPTABLES_FAMILIES; i++) {
		if (before[i] && !is_unchanged(&iptables_families[i], before[i]) &&
		    change_family(&iptables_families[i], NULL, NULL, NULL) == 0)
			(void)restore(&iptables_families[i], before[i], NULL);
	}
}

static void iptables_explain(const struct request *request, const struct iptables_family *family, int error,
			     const char *complaint)
{
	if (error == -ENOENT)
		say_sentence("%s: install iptables, or use --backend nft", complaint);
	else if (request->attach.mode == MODE_QUEUE)
		say_sentence("%s did not take the rules, so nothing was changed: %s", family->restore, complaint);
	else
		say_sentence("%s did not take the rules, so nothing was changed (does the kernel know helper "
			     "`" CTHELPER_NAME "' yet? %s first): %s",
			     family->restore, request_helper_comes_by(request), complaint);
}

static int iptables_apply(const struct request *request)
{
	char complaint[PROGRAM_COMPLAINT_MAX] = "", *before[IPTABLES_FAMILIES] = { NULL };
	int error = 0;

	for (unsigned int i = 0; i < IPTABLES_FAMILIES && !error; i++) {
		if (!is_present(&iptables_families[i]))
			continue;
		error = change_family(&iptables_families[i], request, &before[i], complaint);
		if (error) {
			undo(before);
			iptables_explain(request, &iptables_families[i], error, complaint);
		}
	}
	for (unsigned int i = 0; i < IPTABLES_FAMILIES; i++)
		free(before[i]);
	return error;
}

static int iptables_remove(void)
{
	int failure = 0;

	for (unsigned int i = 0; i < IPTABLES_FAMILIES; i++) {
		char complaint[PROGRAM_COMPLAINT_MAX] = "";
		int error = is_present(&iptables_families[i]) ?
				    change_family(&iptables_families[i], NULL, NULL, complaint) :
				    0;

		if (!error || error == -ENOENT)
			continue;
		say_sentence("the chains of %s could not be removed: %s", iptables_families[i].program, complaint);
		failure = error;
	}
	return failure;
}

const struct backend iptables_backend = {
	.name = IPTABLES_NAME,
	.write = iptables_write_all,
	.apply = iptables_apply,
	.remove = iptables_remove,
};
