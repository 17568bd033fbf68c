// Package sample has what Matroska and MP4 have in common: both describe a track by a configuration
// as MP4 has it (ISO/IEC 14496-15 for H.264 and HEVC), and have one frame in each sample.
//
//	configuration ─► Codec ─► sample ─► convert.Unit ─► Queue ─► flv.Tag
package sample
