// SPDX-License-Identifier: GPL-2.0-or-later
#include "mode.h"

const char *const mode_names[MODES + 1] = {
	[MODE_AUTO] = "auto",
	[MODE_QUEUE] = "queue",
	[MODE_CTHELPER] = "cthelper",
	[MODE_KMOD] = "kmod",
};
