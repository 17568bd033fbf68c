// Package termtest helps to test what people see: it opens a real terminal whose other end the
// test holds, and compares lines with those that a test wants.
package termtest
