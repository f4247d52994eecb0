// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What explain shows of hostile bytes: segments in any order become lines, lines become rows and announcements, and one of the writers writes them, which the first byte names. A
 * terminal must have nothing to obey, and each page must be closed tag by tag, with no tag in it that the writer did not mean.
 */
#include "explain/announce.h"
#include "explain/lines.h"
#include "written.h"

#define SEGMENT_MAX 300

struct made {
	struct ladder *ladder;
	struct ladder_dialogue *dialogue;
	struct input *input;
	enum ladder_way way;
};

/* --- rows of bytes */

static void note(const struct made *made, struct ladder_row *row)
{
	size_t length;
	char *text = (char *)input_copy(made->input, input_byte(made->input), &length);

	ladder_note(made->ladder, row, input_byte(made->input) % LADDER_NOTES, "%.*s", (int)length, text);
	if (input_byte(made->input) & 1)
		ladder_set_text(made->ladder, &row->received, text, length);
	free(text);
}

static void take_line(void *context, enum lines_event event, const char *bytes, uint64_t length)
{
	const struct made *made = context;
	struct ladder_row row = { .time = (int64_t)input_u32(made->input) << 8, .way = made->way };
	size_t there = length < LINES_TEXT_MAX ? (size_t)length : LINES_TEXT_MAX;
	struct announcement_row announcement;
	char text[LINES_TEXT_MAX + 8];
	struct ladder_row *added;

	MUST(event <= LINES_GAP);
	if (event == LINES_BEHEADED || event == LINES_GAP)
		there = 0;
	memcpy(text, bytes, there);
	if (made->way == LADDER_TO_SERVER)
		there = lines_hide_secret(text, there);
	MUST(there <= sizeof(text));
	row.kind = event == LINES_GAP ? LADDER_MISSING : input_byte(made->input) % (LADDER_DATA + 1);
	row.port[LADDER_CLIENT] = (uint16_t)input_u32(made->input);
	added = ladder_add_row(made->ladder, made->dialogue, &row, text, there);
	MUST(added);
	if (announce_line(made->ladder, made->dialogue, added, &announcement))
		MUST(added->note_count == 1 && announcement.word);
	if (input_byte(made->input) & 1)
		note(made, added);
	ladder_add_packet(made->ladder, added, &(struct ladder_packet){ .flags = input_byte(made->input) });
}

static void make_rows(struct made *made)
{
	struct lines lines[2] = { 0 };
	uint32_t seq = 0xffffff00u;

	while (made->input->left) {
		const uint8_t how = input_byte(made->input);
		size_t length;
		uint8_t *bytes = input_copy(made->input, how & 2 ? input_byte(made->input) : SEGMENT_MAX, &length);

		made->way = how & 1 ? LADDER_TO_CLIENT : LADDER_TO_SERVER;
		lines_take(&lines[how & 1], seq, bytes, (uint32_t)length, take_line, made);
		if (how & 4)
			lines_acked(&lines[how & 1], input_u32(made->input), take_line, made);
		if (how & 8)
			lines_skip(&lines[how & 1], seq + 7);
		seq += how & 16 ? (uint32_t)(int8_t)input_byte(made->input) : (uint32_t)length;
		free(bytes);
	}
	for (made->way = LADDER_TO_SERVER; made->way <= LADDER_TO_CLIENT; made->way++) {
		lines_end(&lines[made->way], take_line, made);
		lines_free(&lines[made->way]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	const uint8_t how = input_byte(&input);
	char path[64] = "";
	struct made made = { .input = &input };

	for (unsigned int i = 0; i < (how & 63); i++)
		path[i] = (char)input_byte(&input);
	made.ladder = ladder_new(path, how & 64);
	MUST(made.ladder);
	made.dialogue = ladder_add_dialogue(made.ladder);
	MUST(made.dialogue);
	for (unsigned int side = 0; side < LADDER_SIDES; side++) {
		made.dialogue->end[side].family = input_byte(&input) & 1 ? FAMILY_IPV4 : FAMILY_IPV6;
		made.dialogue->end[side].address[0] = input_byte(&input);
		made.dialogue->seen[side] = made.dialogue->end[side];
		made.dialogue->seen[side].port = (uint16_t)input_u32(&input);
	}
	make_rows(&made);
	MUST(!made.ladder->no_memory);
	written_check(made.ladder, how % FORMATS);
	ladder_free(made.ladder);
	return 0;
}
