// SPDX-License-Identifier: GPL-2.0-or-later
#include "course.h"

#include <errno.h>

#define GRACE	  1000	/* milliseconds: somebody else's rules may be gone for so long */
#define QUARREL	  60000 /* what is put back less than so long ago, and has gone again, somebody takes away */
#define PATIENCE  2	/* so often that is no matter */
#define WAIT	  1000
#define WAIT_MOST 60000

static uint64_t wait_of(unsigned int times)
{
	return times >= 6 ? WAIT_MOST : (uint64_t)WAIT << times;
}

static void begin_to_miss(struct course *course, uint64_t now)
{
	const bool again = course->put_at && now - course->put_at < QUARREL;

	course->tries = again ? course->tries + 1 : 0;
	course->gone = true;
	course->told = course->mended = false;
	course->missing = 0;
	course->gone_at = now;
	course->try_at = now + (course->tries < PATIENCE ? 0 : wait_of(course->tries - PATIENCE));
}

static enum course_word miss_no_more(struct course *course)
{
	const bool told = course->told, mended = course->mended;

	course->gone = course->told = course->mended = false;
	/* That we have done it has been said, or will be when it is done. */
	if (course->applying || mended)
		return COURSE_NOTHING;
	return told ? COURSE_BACK : COURSE_BLINK;
}

enum course_word course_hear(struct course *course, const struct watcher_news *news, uint64_t now)
{
	if (news->trouble != WATCHER_SEES)
		return COURSE_NOTHING;
	if (news->judgement == JUDGEMENT_GONE)
		begin_to_miss(course, now);
	course->missing |= news->missing;
	if (news->judgement == JUDGEMENT_BACK && course->gone)
		return miss_no_more(course);
	return COURSE_NOTHING;
}

enum course_word course_wait(struct course *course, uint64_t now)
{
	if (!course->gone || course->keeps || course->told || now - course->gone_at < GRACE)
		return COURSE_NOTHING;
	course->told = true;
	return COURSE_GONE;
}

bool course_applies(struct course *course, uint64_t now, bool known)
{
	if (!course->gone || !course->keeps || course->applying || !known || now < course->try_at)
		return false;
	course->tries += course->mended;
	course->mended = false;
	course->applying = true;
	return true;
}

enum course_word course_applied(struct course *course, int error, uint64_t now)
{
	const bool told = course->told;

	course->applying = false;
	if (!error) {
		course->put_at = now;
		course->mended = course->gone;
		course->try_at = now + wait_of(course->tries + 1);
		return COURSE_PUT_BACK;
	}
	course->tries++;
	course->try_at = now + wait_of(course->tries);
	course->told = true;
	if (error == -EPIPE || error == -ETIMEDOUT) {
		course->keeps = false;
		return COURSE_ALONE;
	}
	return told ? COURSE_NOTHING : COURSE_FAILED;
}

void course_again(struct course *course)
{
	course->tries = 0;
	course->try_at = 0;
}
