// Package mp4 reads MP4 and QuickTime files (ISO/IEC 14496-12) into tags, and fragmented MP4 as a
// stream.
//
//	boxes ─► movie: tracks ─► tables of samples, or runs of fragments ─► convert.Converter ─► flv.Tag
//
// [NewFile] reads a file, in which everything may be anywhere, by its tables; [NewStream] what comes in
// one piece after the other: fragments, or a whole file that begins with its tables. Samples of pictures
// and sound are put in the order in which they are decoded.
//
// It is not built on a library's reader: those at hand make lists of all samples, as long as the file
// says that they are. Here a table is a place in the file, and a window of 2 KiB.
package mp4
