/* A library that is no app. */
int answer(void);
int answer(void) { return 42; }
