// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * glibc's strerror() and strerror_r() may translate, and take a lock for that; what it has since 2.32 for lookers-up does not. musl's
 * strerror() looks in a table.
 */
#include "error.h"

#include <string.h>

#ifdef __GLIBC__
#define describe strerrordesc_np
#else
#define describe strerror
#endif

const char *error_text(int error)
{
	const char *text = describe(-error);

	return text ? text : "an error without a name";
}
