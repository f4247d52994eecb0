// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge.h"

enum judgement judge_look(struct judge *judge, const struct standing *standing, unsigned int steps)
{
	const uint32_t before = judge->missing, news = standing->places & ~judge->expected;
	const bool replaced = judge->print != standing->print && steps > 1, absent = judge->absent;

	judge->absent = judge->awaited && !(judge->expected | standing->places);
	if (judge->absent)
		return absent ? JUDGEMENT_SAME : JUDGEMENT_GONE;
	judge->missing = judge->expected & ~standing->places;
	if (judge->missing) {
		if (!before)
			return JUDGEMENT_GONE;
		return judge->missing == before ? JUDGEMENT_SAME : JUDGEMENT_OTHER;
	}
	judge->print = standing->print;
	judge->expected |= standing->places;
	if (before || absent)
		return JUDGEMENT_BACK;
	if (news)
		return JUDGEMENT_THERE;
	return replaced ? JUDGEMENT_REPLACED : JUDGEMENT_SAME;
}

enum judgement judge_accept(struct judge *judge, const struct standing *standing)
{
	const bool before = judge->missing || judge->absent;

	if (!standing->places)
		return JUDGEMENT_SAME;
	judge->absent = false;
	judge->expected = standing->places;
	judge->missing = 0;
	judge->print = standing->print;
	return before ? JUDGEMENT_BACK : JUDGEMENT_SAME;
}
