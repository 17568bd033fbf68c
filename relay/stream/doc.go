// Package stream is the data path of one channel: signed chunks and headers, the
// ring that holds the recent ones, the cursors that read it and the writer that
// fills it at the source.
//
// Data flows one way. At the root, a [Writer] gathers the encoder's tags (one copy) and
// cuts them into chunks, each already in the form in which it crosses a link (another
// copy). A [Ring] copies each chunk into memory where they lie one behind the other. From then
// on nothing is copied here: any number of [Cursor]s read the same immutable bytes, each at its own pace. There is no queue
// per reader, so memory does not grow with readers, and a slow reader never makes the
// writer wait.
//
//	Writer ──► Ring ──► Cursor ──► a child's link
//	  (root)    │  └──► Cursor ──► a viewer
//	            ▲
//	  link ─────┘ (any other node: ParseChunk, Verify, Append)
//
// The payload is opaque here: whole or partial tags of a container that only the
// rooms at the edges know. The package uses the standard library only.
package stream
