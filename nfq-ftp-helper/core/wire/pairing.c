// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairing.h"

#define CLASS_BIT(class) (1u << PAIRING_##class)

/* Classes that share a row. */
#define PORTS (CLASS_BIT(ACTIVE) | CLASS_BIT(IDLE))
#define ASKED (CLASS_BIT(PASSIVE) | CLASS_BIT(DOUBTED))
#define ALL   ((1u << PAIRING_CLASSES) - 1)

/* pairing.h's table, by codes: who may have them. What is not named has nobody. */
static const struct {
	uint16_t first, last;
	uint16_t classes;
} may_have[] = {
	{ 100, 199, CLASS_BIT(TRANSFER) },
	{ 200, 209, CLASS_BIT(OTHER) | PORTS | CLASS_BIT(LOGIN) },
	{ 210, 224, CLASS_BIT(OTHER) },
	{ 225, 226, CLASS_BIT(OTHER) | CLASS_BIT(TRANSFER) },
	{ 227, 229, ASKED },
	{ 230, 233, CLASS_BIT(LOGIN) },
	{ 234, 234, CLASS_BIT(AUTH) },
	{ 235, 249, CLASS_BIT(OTHER) },
	{ 250, 250, CLASS_BIT(OTHER) | PORTS | CLASS_BIT(LOGIN) | CLASS_BIT(TRANSFER) },
	{ 251, 259, CLASS_BIT(OTHER) | CLASS_BIT(LOGIN) },
	{ 260, 330, CLASS_BIT(OTHER) },
	{ 331, 332, CLASS_BIT(LOGIN) },
	{ 333, 333, CLASS_BIT(OTHER) },
	{ 334, 334, CLASS_BIT(OTHER) | CLASS_BIT(AUTH) },
	{ 335, 399, CLASS_BIT(OTHER) },
	{ 400, 599, ALL },
};

/* Who answers out of order shows that all before it has been dealt with: codes that belong to one class alone. */
static bool settles_older(enum pairing_class class, unsigned int code)
{
	if (class == PAIRING_LOGIN)
		return (code >= 230 && code <= 233) || code == 331 || code == 332;
	return code < 400 && class != PAIRING_OTHER && !(PORTS >> class & 1);
}

enum pairing_class pairing_class(enum ftp_kind kind)
{
	static const uint8_t classes[FTP_KINDS] = {
		[FTP_PORT] = PAIRING_ACTIVE,  [FTP_EPRT] = PAIRING_ACTIVE,  [FTP_LPRT] = PAIRING_ACTIVE,
		[FTP_PASV] = PAIRING_PASSIVE, [FTP_EPSV] = PAIRING_PASSIVE, [FTP_LPSV] = PAIRING_PASSIVE,
		[FTP_AUTH] = PAIRING_AUTH,    [FTP_LOGIN] = PAIRING_LOGIN,  [FTP_TRANSFER] = PAIRING_TRANSFER,
	};

	return (enum pairing_class)classes[kind];
}

static bool may(enum pairing_class class, unsigned int code)
{
	for (size_t i = 0; i < sizeof(may_have) / sizeof(may_have[0]); i++)
		if (code >= may_have[i].first && code <= may_have[i].last)
			return may_have[i].classes >> class & 1;
	return false;
}

/* A transfer that has begun is not refused any more: what says so is another command's. */
static bool is_late_refusal(unsigned int code)
{
	return (code >= 500 && code <= 504) || code == 530;
}

static uint16_t sum_bounded(uint32_t a, uint32_t b)
{
	return (uint16_t)(a + b < 0xffff ? a + b : 0xffff);
}

bool pairing_has(const struct pairing *pairing, enum pairing_class class)
{
	for (unsigned int i = 0; i < pairing->count; i++)
		if (pairing_at(pairing, i) == class)
			return true;
	return false;
}

void pairing_push(struct pairing *pairing, enum pairing_class class)
{
	if (class != PAIRING_OTHER && !pairing_full(pairing)) {
		const uint32_t bits = class;

		pairing->classes |= bits << 4 * pairing->count;
		pairing->before[++pairing->count] = 0;
		return;
	}
	pairing->overflow |= class != PAIRING_OTHER;
	pairing->before[pairing->count] = sum_bounded(pairing->before[pairing->count], 1);
}

/* Take out what stands at this place, and nothing else. */
static void take_out(struct pairing *pairing, unsigned int place)
{
	const uint32_t lower = pairing->classes & ((1u << 4 * place) - 1);

	pairing->classes = lower | (uint32_t)((uint64_t)pairing->classes >> 4 * (place + 1) << 4 * place);
	pairing->before[place] = sum_bounded(pairing->before[place], pairing->before[place + 1]);
	for (unsigned int i = place + 1; i < pairing->count; i++)
		pairing->before[i] = pairing->before[i + 1];
	pairing->before[pairing->count--] = 0;
}

/* What is older than the one at this place counts as answered. Return: how many ACTIVE ones there were. */
static uint8_t settle_older(struct pairing *pairing, unsigned int place)
{
	uint8_t active = 0;

	if (place || pairing->before[0])
		pairing->begun = 0;
	for (unsigned int i = 0; i < place; i++) {
		active = (uint8_t)(active + (pairing_at(pairing, 0) == PAIRING_ACTIVE));
		pairing->before[0] = 0;
		take_out(pairing, 0);
	}
	pairing->before[0] = 0;
	return active;
}

/* Where does the first of interest stand that may have this reply? Behind the last: none does. */
static unsigned int first_of_interest(const struct pairing *pairing, unsigned int code)
{
	const bool begun = pairing->begun && !pairing->before[0];
	unsigned int place = begun && is_late_refusal(code);

	while (place < pairing->count && !may(pairing_at(pairing, place), code))
		place++;
	return place;
}

/* And of those of no interest? Places are counted as before[] is. */
static unsigned int first_other(const struct pairing *pairing, unsigned int code)
{
	unsigned int place = may(PAIRING_OTHER, code) ? 0 : PAIRING_MAX + 1;

	while (place <= pairing->count && !pairing->before[place])
		place++;
	return place;
}

/*
 * Whose is a 1xx? A transfer that has begun has had its own; where its last reply never came, or was one that no transfer can have, the next
 * one's shows that it is over.
 */
static unsigned int beginning(const struct pairing *pairing)
{
	const unsigned int first = first_of_interest(pairing, 150);

	if (pairing->begun && !pairing->before[0] && first == 0)
		for (unsigned int place = 1; place < pairing->count; place++)
			if (may(pairing_at(pairing, place), 150))
				return place;
	return first;
}

static void begin_transfer(struct pairing *pairing, struct pairing_answer *answer)
{
	const unsigned int place = beginning(pairing);
	const bool found = place < pairing->count;

	if (found)
		answer->older_active = settle_older(pairing, place);
	if (!found && !pairing->before[0]) /* nor some verb that is not known */
		return;
	answer->transfer_begins = !pairing->begun;
	pairing->begun = 1;
}

/* One of no interest has its answer. */
static void answer_other(struct pairing *pairing, unsigned int place, struct pairing_answer *answer)
{
	answer->answers = true;
	answer->class = PAIRING_OTHER;
	pairing->before[place]--;
	if (place == 0) {
		answer->transfer_over = pairing->begun;
		pairing->begun = 0;
	}
}

/* Does nobody else's reply say yes to the login that is next in order? Devices do so by any 2xx. */
static bool is_odd_login(const struct pairing *pairing, unsigned int code)
{
	return code < 300 && !may(PAIRING_PASSIVE, code) && pairing->count && !pairing->before[0] &&
	       pairing_at(pairing, 0) == PAIRING_LOGIN;
}

struct pairing_answer pairing_reply(struct pairing *pairing, unsigned int code)
{
	struct pairing_answer answer = { .class = PAIRING_OTHER };
	unsigned int place, other;

	if (code < 200) {
		begin_transfer(pairing, &answer);
		return answer;
	}
	place = first_of_interest(pairing, code);
	other = first_other(pairing, code);
	if (place == pairing->count && other > pairing->count) { /* nobody may have it */
		if (pairing->before[0])
			other = 0; /* an unknown command, whose answers are not known either */
		else if (is_odd_login(pairing, code))
			place = 0;
	}
	if (other <= pairing->count && other <= place) {
		answer_other(pairing, other, &answer);
	} else if (place < pairing->count) {
		answer.answers = true;
		answer.class = (uint8_t)pairing_at(pairing, place);
		if (settles_older(pairing_at(pairing, place), code)) {
			answer.older_active = settle_older(pairing, place);
			place = 0;
		}
		answer.transfer_over = place == 0 && pairing->before[0] == 0 && pairing->begun;
		if (answer.transfer_over)
			pairing->begun = 0;
		take_out(pairing, place);
	}
	if (pairing_empty(pairing))
		pairing->overflow = 0;
	return answer;
}

bool pairing_asked(const struct pairing *pairing)
{
	const unsigned int place = first_of_interest(pairing, 227);

	return place < pairing->count && pairing_at(pairing, place) == PAIRING_PASSIVE;
}

/* Is nothing outstanding but the one at this place, and what is older? */
static bool is_last(const struct pairing *pairing, unsigned int place)
{
	return place + 1 == pairing->count && !pairing->before[pairing->count];
}

/*
 * It is the transfer's whose turn it is, and nobody has asked for anything behind it: else the text may be that of another command's reply, and in
 * it anybody's. To a server that ends lines elsewhere than we do a transfer may be none, and outstanding for ever. Where the text is that of a
 * refusal, any transfer's, whatever else waits: refusals are the server's own words, and who left a command unanswered may not be answering it.
 */
static bool may_begin(const struct pairing *pairing, unsigned int code)
{
	const unsigned int transfer = first_of_interest(pairing, 150);

	if (transfer == pairing->count)
		return false;
	return code >= 400 || (first_of_interest(pairing, code) == transfer && first_other(pairing, code) > transfer &&
			       is_last(pairing, transfer));
}

bool pairing_ends_oddly(const struct pairing *pairing, bool greeted, unsigned int open, unsigned int code)
{
	const bool to_user = (code >= 230 && code <= 233) || code == 331 || code == 332 || code == 530;

	if (!greeted)
		return to_user && open >= 200 && open < 300 && pairing_has(pairing, PAIRING_LOGIN);
	return code >= 100 && code < 200 && may_begin(pairing, open);
}

void pairing_doubt(struct pairing *pairing)
{
	for (unsigned int i = 0; i < pairing->count; i++)
		if (pairing_at(pairing, i) == PAIRING_PASSIVE)
			pairing->classes ^= (uint32_t)(PAIRING_PASSIVE ^ PAIRING_DOUBTED) << 4 * i;
}
