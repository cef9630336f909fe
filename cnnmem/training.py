placeholder = 0
def alive_at_inference_peak(s): return [0]*len(s.rows)
