// Package flv is what the program knows of FLV: tags, what a tag means to someone
// who starts to watch, the header that goes before the first tag, and timestamps.
// It is shared by ingest, where tags come in, and playback, where they go out;
// nothing between the two knows a media format.
//
// Format: Adobe Flash Video File Format Specification 10.1, annex E, with the
// enhanced RTMP (v1 and v2) tag headers of the Veovera Software Organization. The
// field layout of file and tag headers is joy4's.
package flv
