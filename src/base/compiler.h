/* Attributes that make the compiler a reviewer. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#define MUST_USE              __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define COLD                  __attribute__((cold, noinline)) /* rarely called: out of the way of the rest */
#define NO_RETURN             __attribute__((noreturn))
#define ARRAY_LEN(a)          (sizeof(a) / sizeof((a)[0]))

/* Of a large variable on the stack that is not read before it is written: the release build would
 * fill it with zeros. */
#define UNINITIALIZED __attribute__((uninitialized))

#endif
