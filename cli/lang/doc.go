// Package lang has what relay says on a terminal in other languages than English.
//
// relay makes every sentence in English, once: the log, the events of --json, the API and other nodes have it so,
// whatever the language of who runs it. Where a person reads it, which is package term and the help, it is put into
// that person's language at the last moment: by finding which sentence of the catalogue it is ([Language.In]). So a
// sentence that comes from another process, such as what a relay that runs has found out of its router, is
// translated as well, programs never meet a translation, and a new sentence needs no call of its own.
//
// The catalogue is a file for each language, in words/. Each sentence stands there in English, as the source code has
// it with its %s and %d, and below, behind "=", in the language. What is not there stays English. `go generate` makes words.z
// of these files, which is what the program has; a test says which sentences of the source are missing or have
// changed.
//
// golang.org/x/text/message was weighed: it adds 324 KB to a small program, without a sentence of ours, wants a
// printer at each place that says something, and what is composed in another process it cannot translate. Of its
// plurals only two forms are needed, and the English sentences have them: "1 child" and "%d children" are two entries.
package lang

//go:generate go run ./pack
