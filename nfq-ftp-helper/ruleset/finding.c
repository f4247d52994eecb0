// SPDX-License-Identifier: GPL-2.0-or-later
#include "finding.h"

#include <stdio.h>

/* Each finding's sentence, around the rule, chain or setting that it is about. */
// clang-format off
static const struct sentence {
	const char *before;
	const char *behind;
	bool harmless;
} sentences[FINDING_KINDS] = {
	[FINDING_FTP_ASSIGNED] = {
		"the kernel's own ftp helper is assigned to the connections, by `", "'", false },
	[FINDING_FTP_AUTOMATIC] = {
		"the kernel assigns its own ftp helper by itself: ", "", false },
	[FINDING_NOTRACK] = {
		"the connections are not tracked, so neither expected nor translated, by `", "'", false },
	[FINDING_ASSIGNED_EARLY] = {
		"a helper is assigned at a priority before conntrack (-200 or less), so without effect, by `",
		"'", false },
	[FINDING_HELPER_DEAD] = {
		"the helper that a rule names has been taken away, so that it has no effect, not even when there is one of that name "
		"again: `", "'", false },
	[FINDING_DNAT_PORT] = {
		"destination NAT changes ", "", false },
	[FINDING_SYNPROXY] = {
		"SYNPROXY answers for the server, and renumbers the packets before nfq-ftp-helper sees them, by `", "'", false },
	[FINDING_ASSIGNED_LATE] = {
		"a helper is assigned behind destination NAT (priority -100), too late for kernels before late 2025 to adjust "
		"sequence numbers, by `", "'", false },
	[FINDING_INVALID] = {
		"packets that conntrack calls INVALID are dropped before nfq-ftp-helper sees them, by `",
		"' (in table filter that would do no harm)", false },
	[FINDING_MARK] = {
		"the bit that nfq-ftp-helper marks connections with, ", "", false },
	[FINDING_RELATED] = {
		"data connections (state RELATED) are not accepted by ", "", false },
	[FINDING_ZONES] = {
		"connections are put into a conntrack zone by `",
		"': where there are several, `rules --zone' is for one, and one that differs by direction is not followed", true },
	[FINDING_OFFLOAD] = {
		"established connections go past all rules through a flow table, or hardware, by `",
		"': control connections do not, as long as a rule gives them a helper", true },
	[FINDING_LEGACY] = {
		"there are rules of ", ", which `iptables' does not show: both have to let FTP through", true },
};
// clang-format on

void finding_see(struct findings *findings, enum finding_kind kind, const char *what, const char *remedy)
{
	const struct sentence *sentence = &sentences[kind];
	struct finding *finding = &findings->wrong[kind];

	if (finding->seen)
		return;
	finding->seen = true;
	finding->harmless = sentence->harmless;
	snprintf(finding->text, sizeof(finding->text), "%s%.320s%s", sentence->before, what, sentence->behind);
	snprintf(finding->remedy, sizeof(finding->remedy), "%s", remedy);
}
