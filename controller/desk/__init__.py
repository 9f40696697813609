"""What operators ask: `desk` is what all rooms share; looking, deciding, packing, stock, quality, cases, campaign."""
