#pragma once
// The words of a command line, checked before they are used.

namespace oneproxy {

// A result's files are JSON, which is UTF-8: a word that is not would be found at the end of a run, when they are
// written. Error: names the word.
void check_arguments(int count, const char* const* words);

}  // namespace oneproxy
