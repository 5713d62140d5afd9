/* What the API counts. Who shows it gives a function in struct api_env. */
#ifndef API_COUNT_H
#define API_COUNT_H

enum api_count {
	API_COUNT_CALLS, /* authenticated */
	API_COUNT_PAGES,
	API_COUNT_FAILED_SIGNATURES,
	API_COUNT_THROTTLED, /* not looked at, after too many failed signatures */
	API_COUNT_WRONG_HOST,
	API_COUNT_TOO_LARGE,
	API_COUNT_NO_MEMORY,  /* for bodies whose signature is not yet judged */
	API_COUNT_UNRECORDED, /* records of refusals that were left out: too many came at once */
	API_COUNTS
};

/* On any thread. */
typedef void api_count_fn(void *ctx, enum api_count what);

#endif
