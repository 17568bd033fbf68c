// Package api is what a node tells programs: the JSON of /api/v1/, of the events, of
// the webhook and of --json, and the one rule by which a channel is live. It imports
// nothing but the standard library, so that whoever asks a node needs no media stack.
//
// design.md lists each field with its unit and meaning; a test holds it to the structs.
// A field is never renamed and never changes its meaning; new ones may come. Lists are
// never null. What is not known is empty or 0 unless the field says otherwise.
package api
