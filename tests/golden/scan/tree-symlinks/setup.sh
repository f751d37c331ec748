#!/bin/sh
ln -s a.txt inside
ln -s ../a.txt d/inside
ln -s d folder
ln -s nothing dangling
ln -s loop-b loop-a
ln -s loop-a loop-b
ln -s . itself
ln -s .. outside
ln -s ../d/../a.txt d/winding
ln -s /etc/hostname absolute
ln -s ../../.. d/far-outside
