// Package mkv reads Matroska and WebM (RFC 9559) into tags, from a file or a stream that never ends.
//
//	bytes ─► Reader: elements ─► blocks ─► frames ─► convert.Converter ─► flv.Tag
//
// A [Reader] goes through the elements one after the other and keeps none: clusters and segments may
// have no known size, and what lies between them (fonts, pictures, indexes) is passed over in its
// length. Where it finds something that cannot be, it goes on at the next cluster.
//
// It is not built on a library's reader: those at hand take the memory that an element claims, and
// build trees of it.
package mkv
