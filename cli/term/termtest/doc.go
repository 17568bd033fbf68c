// Package termtest is a terminal for tests: a real one of the system's, of which the
// test holds the other end.
package termtest
