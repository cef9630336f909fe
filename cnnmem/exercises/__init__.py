"""The engine of questions: kinds, judging, progress, panels. It knows no lesson."""
