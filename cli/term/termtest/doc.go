// Package termtest is for tests of what people see: a real terminal of the system's, of
// which the test holds the other end, and lines that are compared with what was meant.
package termtest
