// SPDX-License-Identifier: GPL-2.0-or-later
#include "announcement.h"

static const struct ftp_word *word_of_kind(const struct announcement *announcement)
{
	static const char *const words[FTP_KINDS] = {
		[FTP_PORT] = "PORT", [FTP_EPRT] = "EPRT", [FTP_LPRT] = "LPRT",
		[FTP_PASV] = "227", [FTP_EPSV] = "229", [FTP_LPSV] = "228",
	};
	const char *word = words[announcement->kind];

	return ftp_word_find(turn_side(announcement->direction), word, strlen(word));
}

static void forget(struct work *work, uint32_t index)
{
	work->announcements--;
	for (uint32_t i = index; i < work->announcements; i++)
		work->announcement[i] = work->announcement[i + 1];
}

static void withdraw(struct turn *turn, struct work *work, uint32_t index)
{
	struct engine *engine = turn->engine;
	const struct announcement announcement = work->announcement[index];
	struct report withdrawn = { .kind = REPORT_UNEXPECT,
				    .command = word_of_kind(&announcement)->text,
				    .expectation = &announcement.expectation,
				    .port = announcement.expectation.tuple.dst.port };

	forget(work, index);
	engine->conntrack->ops->unexpect(engine->conntrack, &work->binding, &announcement.expectation);
	engine->counters.unexpectations++;
	turn_report(turn, &withdrawn);
}

void announcement_withdraw_all(struct turn *turn)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);

	if (!work || !work->announcements)
		return;
	while (work->announcements)
		withdraw(turn, work, 0);
}

void announcement_transfer_over(struct turn *turn)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);

	if (!work)
		return;
	for (uint32_t i = work->announcements; i-- > 0;)
		if (work->announcement[i].answered)
			withdraw(turn, work, i);
}

void announcement_answered(struct turn *turn, unsigned int code)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);
	uint32_t index = 0;

	if (!work)
		return;
	while (index < work->announcements && work->announcement[index].answered)
		index++;
	if (index == work->announcements)
		return;
	if (code >= 400) {
		withdraw(turn, work, index);
	} else if (code < 300) {
		work->announcement[index].answered = 1;
		while (index-- > 0)
			withdraw(turn, work, 0);
	}
}

void announcement_add(struct turn *turn, enum ftp_kind kind, const struct expectation *expectation)
{
	struct work *work = table_work_change(turn->engine->table, turn->session);
	struct announcement *announcement;

	for (uint32_t i = work->announcements; i-- > 0;)
		if (endpoint_equal(&work->announcement[i].expectation.tuple.dst, &expectation->tuple.dst) &&
		    endpoint_equal(&work->announcement[i].expectation.tuple.src, &expectation->tuple.src))
			forget(work, i);
	if (turn->direction == DIRECTION_REPLY)
		while (work->announcements)
			withdraw(turn, work, 0);
	announcement = &work->announcement[work->announcements++];
	announcement->expectation = *expectation;
	announcement->kind = (uint8_t)kind;
	announcement->direction = (uint8_t)turn->direction;
	announcement->answered = turn->direction == DIRECTION_REPLY;
}
