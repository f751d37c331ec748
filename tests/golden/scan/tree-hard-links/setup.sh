#!/bin/sh
mkdir d
ln a.txt b.txt
ln a.txt d/c.txt
