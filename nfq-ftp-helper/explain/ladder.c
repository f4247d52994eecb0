// SPDX-License-Identifier: GPL-2.0-or-later
#include "ladder.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4

/* Room for one more; sizes are powers of two from FIRST_ROOM on, so it need not be stored how much there is. Return: the array, moved. */
static void *grow(struct ladder *ladder, void *array, size_t count, size_t size)
{
	void *grown = array;

	if (count == 0)
		grown = malloc(FIRST_ROOM * size);
	else if (count >= FIRST_ROOM && (count & (count - 1)) == 0)
		grown = reallocarray(array, count * 2, size);
	if (!grown)
		ladder->no_memory = true;
	return grown;
}

struct ladder *ladder_new(const char *path, bool router)
{
	struct ladder *ladder = calloc(1, sizeof(*ladder));

	if (ladder) {
		ladder->path = path;
		ladder->router = router;
		ladder->row_room = LADDER_ROWS_MAX;
		ladder->dialogue_room = LADDER_DIALOGUES_MAX;
	}
	return ladder;
}

static void free_row(struct ladder_row *row)
{
	for (size_t i = 0; i < row->note_count; i++)
		free(row->notes[i].text.bytes);
	free(row->notes);
	free(row->packets);
	free(row->text.bytes);
	free(row->received.bytes);
	free(row);
}

static void free_dialogue(struct ladder_dialogue *dialogue)
{
	for (size_t i = 0; i < dialogue->row_count; i++)
		free_row(dialogue->rows[i]);
	free(dialogue->rows);
	free(dialogue);
}

void ladder_free(struct ladder *ladder)
{
	if (!ladder)
		return;
	for (size_t i = 0; i < ladder->dialogue_count; i++)
		free_dialogue(ladder->dialogues[i]);
	free(ladder->dialogues);
	free(ladder);
}

/* Return: whether there is some; then one less. */
static bool take_room(struct ladder *ladder, size_t *room)
{
	ladder->full |= *room == 0;
	if (*room == 0)
		return false;
	--*room;
	return true;
}

struct ladder_dialogue *ladder_add_dialogue(struct ladder *ladder)
{
	struct ladder_dialogue **grown, *dialogue;

	if (!take_room(ladder, &ladder->dialogue_room))
		return NULL;
	grown = grow(ladder, ladder->dialogues, ladder->dialogue_count, sizeof(struct ladder_dialogue *));
	dialogue = calloc(1, sizeof(*dialogue));
	if (grown)
		ladder->dialogues = grown;
	if (grown && dialogue) {
		ladder->dialogues[ladder->dialogue_count++] = dialogue;
		return dialogue;
	}
	ladder->no_memory = true;
	free(dialogue);
	return NULL;
}

void ladder_set_text(struct ladder *ladder, struct ladder_text *text, const char *bytes, size_t length)
{
	char *copy = malloc(length + 1);

	if (!copy) {
		ladder->no_memory = true;
		return;
	}
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	free(text->bytes);
	*text = (struct ladder_text){ .bytes = copy, .length = length };
}

/* There is room for no further row: whoever gets the picture is to know. */
static void set_last(struct ladder *ladder, struct ladder_row *row)
{
	static const char text[] = "( it ends here: there is more, which is not drawn )";

	row->kind = LADDER_MISSING;
	row->way = LADDER_BOTH_WAYS;
	ladder_set_text(ladder, &row->text, text, sizeof(text) - 1);
}

struct ladder_row *ladder_add_row(struct ladder *ladder, struct ladder_dialogue *dialogue, const struct ladder_row *row,
				  const char *text, size_t length)
{
	struct ladder_row **grown;
	struct ladder_row *added;

	if (!dialogue || !take_room(ladder, &ladder->row_room))
		return NULL;
	grown = grow(ladder, dialogue->rows, dialogue->row_count, sizeof(struct ladder_row *));
	added = malloc(sizeof(*added));
	if (grown)
		dialogue->rows = grown;
	if (!grown || !added) {
		ladder->no_memory = true;
		free(added);
		return NULL;
	}
	*added = *row;
	if (ladder->row_room)
		ladder_set_text(ladder, &added->text, text, length);
	else
		set_last(ladder, added);
	dialogue->rows[dialogue->row_count++] = added;
	return added;
}

/* In the order of their kinds, and those of a kind as they come. */
static void add_note(struct ladder_row *row, const struct ladder_note *note)
{
	size_t at = row->note_count++;

	for (; at > 0 && row->notes[at - 1].kind > note->kind; at--)
		row->notes[at] = row->notes[at - 1];
	row->notes[at] = *note;
}

void ladder_note(struct ladder *ladder, struct ladder_row *row, enum ladder_note_kind kind, const char *format, ...)
{
	struct ladder_note *grown;
	char *text = NULL;
	va_list arguments;
	int length;

	if (!row)
		return;
	grown = grow(ladder, row->notes, row->note_count, sizeof(*row->notes));
	if (!grown)
		return;
	row->notes = grown;
	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		ladder->no_memory = true;
		return;
	}
	add_note(row, &(struct ladder_note){ kind, { text, (size_t)length } });
}

void ladder_add_packet(struct ladder *ladder, struct ladder_row *row, const struct ladder_packet *packet)
{
	struct ladder_packet *grown;

	if (!row)
		return;
	if (row->packet_count == LADDER_PACKETS_MAX) {
		row->packets_left_out++;
		return;
	}
	grown = grow(ladder, row->packets, row->packet_count, sizeof(*row->packets));
	if (!grown)
		return;
	row->packets = grown;
	row->packets[row->packet_count++] = *packet;
}

bool ladder_has_note(const struct ladder_row *row, enum ladder_note_kind kind)
{
	for (size_t i = 0; i < row->note_count; i++)
		if (row->notes[i].kind == kind)
			return true;
	return false;
}

const char *ladder_note_name(enum ladder_note_kind kind)
{
	static const char *const names[LADDER_NOTES] = {
		[LADDER_NOTE_SUM] = "port",	 [LADDER_NOTE_REWRITE] = "rewritten",
		[LADDER_NOTE_SHIFT] = "numbers", [LADDER_NOTE_EXPECT] = "expected",
		[LADDER_NOTE_LED_TO] = "came",	 [LADDER_NOTE_REFUSED] = "refused",
		[LADDER_NOTE_ADVICE] = "to do",	 [LADDER_NOTE_FACT] = "note",
	};

	return names[kind];
}
