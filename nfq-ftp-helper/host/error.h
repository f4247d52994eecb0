/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * error - what an error is called.
 */
#ifndef HOST_ERROR_H
#define HOST_ERROR_H

/*
 * error_text - as strerror(), but nothing is translated, no lock is taken and no memory: for the copy of a process with threads, of
 * which one might have had the lock
 * @error: a negative errno
 *
 * Return: the text, which is fixed.
 */
const char *error_text(int error);

#endif
