// Package ffmpeg runs an ffmpeg of this machine for what relay does not read, film or encode itself: it says with
// which arguments, reads what ffmpeg tells, and ends it.
//
// What goes to ffmpeg is a list of arguments, never a line for a shell. A file's name has "file:" in front, so that
// it is neither an option nor a protocol; what a playlist may name is bounded by the protocols and formats that fit
// the address that a person gave. What ffmpeg says is a stranger's text: it is put into kinds ([Trouble]), and its
// own words are shown cleaned, cut, and without passwords.
//
// Nothing here knows sessions or channels: package ingest ties the bytes that come out to those.
package ffmpeg
